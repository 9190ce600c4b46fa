"""Trained weights: those of a run, a checkpoint folder, or a file of tensors.

What the source holds and the model has by the same name and shape is taken. A head for another number of classes is
initialised anew; everything else must fit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, Self

import torch
from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import whereabouts
from vitlab.checkpoints import native
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import is_head
from vitlab.train.start._base import Beginning, StartSpec

SHOWN = 3  # names in a message


@dataclass(frozen=True)
class Spec(StartSpec):
    """`path`: where the weights are; `checksum` of their content, which names them wherever they lie.

    `head`: whether the head's tensors are kept; "auto" keeps them where their shapes fit and draws them anew where they
    do not, "keep" insists on it, "zero" and "drawn" begin anew, at zero or as `model.init` draws them. `missing`:
    patterns (`pos_embed.*`) of tensors that the source may lack; these begin as drawn.
    """

    path: str = whereabouts("")
    checksum: str | None = None
    head: Literal["auto", "keep", "zero", "drawn"] = "auto"
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.path:
            raise SpecError("start=checkpoint: set start.path to a run, a checkpoint folder or a file of tensors")

    def resolved(self) -> Self:
        return self if self.checksum else replace(self, checksum=native.checksum_of(Path(self.path)))

    def begin(self, model: ViTSpec, drawn: Mapping[str, Tensor]) -> Beginning:
        source = self._read()
        kept = self._keeps_head(source, drawn)
        wanted = {name for name in drawn if kept or not is_head(name)}
        absent = {name for name in wanted - source.keys() if self._may_be_missing(name)}
        given = {name: tensor for name, tensor in source.items() if kept or not is_head(name)}
        problems = list(_problems(wanted - absent, given, drawn))
        if problems:
            raise CheckpointError(f"{self.path} does not fit this model; {'; '.join(problems)}")
        fresh = {name: self._anew(name, tensor) for name, tensor in drawn.items() if name not in wanted - absent}
        why = "" if kept else f"the head is for {model.num_classes} classes"
        return Beginning({**{name: given[name] for name in wanted - absent}, **fresh}, tuple(sorted(fresh)), why)

    def _read(self) -> dict[str, Tensor]:
        """The source's tensors, if they are those that the run is named by."""
        if self.checksum and native.checksum_of(Path(self.path)) != self.checksum:
            raise CheckpointError(
                f"{self.path} has changed: its checksum is not {self.checksum}, which this run requires"
            )
        return native.read_model(Path(self.path))

    def _keeps_head(self, source: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> bool:
        if self.head != "auto":
            return self.head == "keep"
        return all(name in source and source[name].shape == drawn[name].shape for name in drawn if is_head(name))

    def _may_be_missing(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.missing)

    def _anew(self, name: str, drawn: Tensor) -> Tensor:
        return torch.zeros_like(drawn) if self.head == "zero" and is_head(name) else drawn


def _problems(wanted: set[str], given: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> Iterator[str]:
    """What the source lacks, what the model has no place for, and what is of another shape."""
    differing = {name for name in wanted & given.keys() if given[name].shape != drawn[name].shape}
    groups = {"missing": wanted - given.keys(), "unknown": given.keys() - drawn.keys()}
    for what, names in groups.items():
        if names:
            yield f"{what}: {_listed(sorted(names))}"
    if differing:
        shapes = [f"{n} is {_size(given[n])} there and {_size(drawn[n])} here" for n in sorted(differing)]
        yield f"of another shape: {_listed(shapes)}"


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _size(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "one number"
