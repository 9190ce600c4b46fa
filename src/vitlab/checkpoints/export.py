"""A model of ours as others run or load it, with a card that says what it is and what was checked."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

from vitlab.base.errors import CheckpointError, SpecError, unknown
from vitlab.base.spec import component_class, component_names
from vitlab.checkpoints import card, native
from vitlab.checkpoints.format._as_source import AsSource
from vitlab.checkpoints.format._base import FormatSpec
from vitlab.checkpoints.source._base import SourceSpec
from vitlab.checkpoints.trained import EquippedViT, Trained

NEAR, NEAR_IN_HALF = 1e-4, 5e-2  # of logits that are told to be the same


class Exported(NamedTuple):
    """What was written: its folder, the files, how it is used, and the largest difference of its logits from the
    model's.
    """

    out: Path
    files: tuple[str, ...]
    used: str
    difference: float


def format_named(name: str) -> FormatSpec:
    """A format, or a source that is written as one. Raises SpecError for an unknown one."""
    if name in component_names(FormatSpec.family):
        return component_class(FormatSpec, name)()
    written = [each for each in component_names(SourceSpec.family) if component_class(SourceSpec, each).writes]
    if name in written:
        return AsSource(component_class(SourceSpec, name)())
    raise SpecError(unknown("format", name, [*component_names(FormatSpec.family), *written]))


def export(trained: Trained, name: str, out: Path, half: bool = False, evidence: card.Evidence = card.NONE) -> Exported:
    """Write a model in a format, check it, and put a card beside it.

    With `half` weights are in half precision, and a program computes in it. Raises CheckpointError where the format
    cannot hold the model, and where what it says is not what the model says.
    """
    chosen = format_named(name)
    native.check_empty(out)
    out.mkdir(parents=True, exist_ok=True)
    model = _prepared(trained.model, half)
    with _unless_refused(out):
        used = chosen.write(model, out)
        apart = chosen.check(model, out)
        if not apart <= (NEAR_IN_HALF if half else NEAR):
            raise CheckpointError(
                f"{chosen.title} cannot hold this model: what was written says something else, by up to {apart:.2g}"
                f"{chosen.why_unlike(model)}"
            )
    exported = Exported(out, tuple(sorted(path.name for path in out.iterdir())), used, apart)
    card.write(out, trained, chosen.title, exported.used, apart, half, evidence)
    return exported


@contextmanager
def _unless_refused(out: Path) -> Iterator[None]:
    """Leave nothing behind of what is no export of the model."""
    try:
        yield
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise


def _prepared(model: EquippedViT, half: bool) -> EquippedViT:
    model = model.eval().requires_grad_(False)
    return model.to(torch.float16) if half else model
