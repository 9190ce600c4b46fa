"""Trained weights: those of a run, a checkpoint folder, or of what somebody else wrote: a file, a folder, the hub.

What the source holds and the model has by the same name and shape is taken. For images or patches of another size
positions and patch kernels are resized, and computed positions stretched to the range that they were trained on. A head
for another number of classes is initialised anew; everything else must fit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, Self

import torch
from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import added, whereabouts
from vitlab.base.words import some
from vitlab.checkpoints.shapes import differing_shapes
from vitlab.checkpoints.weights import Weights, checksum_of, weights_at
from vitlab.models.resizing import adapted, resized, told
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT, is_head, logits_weights
from vitlab.nn.resizing import Resizing
from vitlab.records.run import RunDeclaration
from vitlab.train.start._base import Beginning, StartSpec


def settings_of_start(path: str, resumed: Path | None) -> dict[str, Any]:
    """Those of a run that starts from `path`. One that is resumed has what it needs, and its source may be gone."""
    recorded = RunDeclaration.read_if_there(resumed) if resumed else None
    start = recorded.spec.get("start") if recorded else None
    if recorded and isinstance(start, Mapping) and start.get("path") == path and not Path(path).exists():
        return {"start": start, "model.pos_embed": recorded.spec["model"]["pos_embed"]}
    return {"start.path": path}


@dataclass(frozen=True)
class Spec(StartSpec):
    """`path`: where the weights are; `checksum` of their content, which names them wherever they lie.

    `head`: whether the head's tensors are kept; "auto" keeps them where their shapes fit and draws them anew where they
    do not, "keep" insists on it, "drawn" draws them anew as `model.init` does, and "zero" too, but with zero for the
    weight of the last layer. `missing`: patterns (`pos_embed.*`) of tensors that the source may lack; these are drawn.

    `positions`: whether computed ones are stretched at another size, or run on; `interpolation`, `antialias`: how
    tables and patch kernels are resized.
    """

    path: str = whereabouts("")
    checksum: str | None = None
    head: Literal["auto", "keep", "zero", "drawn"] = "auto"
    missing: tuple[str, ...] = ()
    positions: Literal["stretched", "run_on"] = added("stretched")
    interpolation: Literal["bicubic", "bilinear"] = added("bicubic")
    antialias: bool = added(True)

    def __post_init__(self) -> None:
        if not self.path:
            raise SpecError("start=checkpoint: set start.path to a run, a checkpoint folder or a file of tensors")

    def resolved(self) -> Self:
        return self if self.checksum else replace(self, checksum=checksum_of(self.path))

    def fitted(self, model: ViTSpec) -> ViTSpec:
        if self.positions == "run_on" or not model.pos_embed.stretches or self._is_gone():
            return model
        before = self._read(model).spec
        return model if before is None else adapted(model, before)

    def check(self, model: ViTSpec) -> None:
        with torch.device("meta"):
            drawn = ViT(model).state_dict()
        self.begin(model, drawn)

    def _is_gone(self) -> bool:
        """Whether a run that was begun, and whose model is settled, has lost its source."""
        return bool(self.checksum) and ":" not in self.path and not Path(self.path.partition("#")[0]).exists()

    def begin(self, model: ViTSpec, drawn: Mapping[str, Tensor], class_names: Sequence[str] = ()) -> Beginning:
        if self.head == "zero" and not model.head.ends_linear:
            raise SpecError(f"start.head=zero: model.head={model.head.name} cannot start from zero; legal: drawn, keep")
        weights = self._read(model)
        source, changed = self._resized(weights, model)
        others = _other_classes(weights.class_names, class_names)
        kept = self._keeps_head(source, drawn, others)
        wanted = {name for name in drawn if kept or not is_head(name)}
        absent = {name for name in wanted - source.keys() if self._may_be_missing(name)}
        given = {name: tensor for name, tensor in source.items() if kept or not is_head(name)}
        problems = list(_problems(wanted - absent, given, drawn))
        if problems:
            raise CheckpointError(f"{self.path} does not fit this model; {'; '.join(problems)}")
        zero = logits_weights(model) if self.head == "zero" else set()
        fresh = {
            name: torch.zeros_like(tensor) if name in zero else tensor
            for name, tensor in drawn.items()
            if name not in wanted - absent
        }
        why = "" if kept else self._why_not(source, drawn, others)
        taken = {name: given[name] for name in wanted - absent}
        return Beginning({**taken, **fresh}, tuple(sorted(fresh)), why, tuple(changed))

    def _resized(self, source: Weights, model: ViTSpec) -> tuple[dict[str, Tensor], list[str]]:
        """The source's tensors for the sizes of the model, and what was done to them."""
        if source.spec is None:
            return source.tensors, list(source.unlike)
        changed = resized(source.tensors, source.spec, model, Resizing(self.interpolation, self.antialias))
        return changed, [*source.unlike, *told(source.tensors, changed, source.spec, model)]

    def _read(self, model: ViTSpec) -> Weights:
        """The source's weights, if they are those that the run is named by."""
        if self.checksum and checksum_of(self.path) != self.checksum:
            raise CheckpointError(
                f"{self.path} has changed: its checksum is not {self.checksum}, which this run requires"
            )
        return weights_at(self.path, model)

    def _keeps_head(self, source: Mapping[str, Tensor], drawn: Mapping[str, Tensor], others: str) -> bool:
        if self.head == "keep" and others:
            raise CheckpointError(f"start.head=keep: {self.path} is of other classes: {others}")
        if self.head != "auto":
            return self.head == "keep"
        return not others and all(
            name in source and source[name].shape == drawn[name].shape for name in drawn if is_head(name)
        )

    def _why_not(self, source: Mapping[str, Tensor], drawn: Mapping[str, Tensor], others: str) -> str:
        """Why the head is not the source's."""
        if self.head != "auto":
            return f"start.head={self.head}"
        if not any(map(is_head, source)):
            return "the source has no head"
        for name in drawn:
            if is_head(name) and name in source and source[name].shape[:1] != drawn[name].shape[:1]:
                return f"{source[name].shape[0]} classes there, {drawn[name].shape[0]} here"
        return f"other classes: {others}" if others else "the source has another kind of head"

    def _may_be_missing(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.missing)


def _other_classes(theirs: Sequence[str], ours: Sequence[str]) -> str:
    """Where as many classes are not the same, or not in the same order: the first two that differ; else empty."""
    if not theirs or not ours or len(theirs) != len(ours):
        return ""
    differing = [
        f"{here} where the source has {there}" for there, here in zip(theirs, ours, strict=True) if there != here
    ]
    return differing[0] if differing else ""


def _problems(wanted: set[str], given: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> Iterator[str]:
    """What the source lacks, what the model has no place for, and what is of another shape."""
    groups = {
        "missing": wanted - given.keys(),
        "unknown": given.keys() - drawn.keys(),
        "not floating point": {name for name in wanted & given.keys() if not given[name].is_floating_point()},
        "not finite": {name for name in wanted & given.keys() if not given[name].isfinite().all()},
    }
    for what, names in groups.items():
        if names:
            yield f"{what}: {some(sorted(names))}"
    yield from differing_shapes(given, {name: drawn[name] for name in wanted & drawn.keys()})
