"""What is inside of a trained model: what it loses without one of its parts."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vitlab.api.models import own_settings
from vitlab.base.trust import typed

if TYPE_CHECKING:
    from vitlab.data.sets._base import DataSpec
    from vitlab.evaluate._checkpoint import Asked
    from vitlab.interpret.knockout.curve import Curve
    from vitlab.interpret.knockout.measure import Batches, Replacement
    from vitlab.interpret.knockout.outcome import KnockoutOutcome

_BATCH = 64  # images: several knock-outs of a batch run side by side
Progress = Callable[[float], object]  # is told which share of the work is done


class Knockouts(NamedTuple):
    """What every knock-out came to; and of one model with heads how many of these can go, None otherwise."""

    outcome: "KnockoutOutcome"
    curve: "Curve | None"

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {**self.outcome.as_json(), "curve": None if self.curve is None else self.curve._asdict()}


def knockout(
    path: str | Path,
    data: "str | DataSpec | None" = None,
    *,
    replacement: "Replacement" = "zero",
    device: str | None = None,
    settings: Mapping[str, Any] = {},
    images: int | None = None,
    progress: Progress = lambda share: None,
) -> Knockouts:
    """Knock out every head, attention, MLP, token of the model's own, its positions, and quarters of the patches, one
    at a time, on the test images: of a run, of all seeds of one, or of any model that `load` takes.

    `data` and `settings` as in `evaluate`; in a part's place stand zeros, its `mean` over the images, or another
    image's value (`resample`). With `images` so many of them, evenly spaced. Raises UserError for what a user can mend.
    """
    from vitlab.interpret.knockout.curve import head_curve
    from vitlab.interpret.knockout.measure import measure
    from vitlab.interpret.knockout.outcome import outcome
    from vitlab.interpret.knockout.parts import knockouts

    typed({"data": data}, settings)
    paths = _seeds(Path(path))
    measured = []
    for number, each in enumerate(paths):
        asked = _asked(each, data, device, settings)
        model, (batches, count) = asked.trained.model, _batches(asked, images)
        parts = knockouts(model)
        curved = len(paths) == 1 and any(part.kind == "head" for part in parts)
        told = _told(progress, number, len(paths), count, both=curved)
        measured.append(measure(model, batches, parts, replacement, told))
    found = outcome(parts, measured, replacement)
    return Knockouts(found, head_curve(model, batches, parts, found, told) if curved else None)


def _seeds(path: Path) -> list[Path]:
    """The runs of all seeds in a folder; or what stands at the path, whatever it is."""
    from vitlab.records.run import RunDeclaration

    seeds = sorted(path.glob("seed-*"), key=lambda each: (len(each.name), each.name))
    runs = [each for each in seeds if RunDeclaration.exists(each)]
    return runs if runs and not RunDeclaration.exists(path) else [path]


def _asked(path: Path, data: "str | DataSpec | None", device: str | None, settings: Mapping[str, Any]) -> "Asked":
    from vitlab.base.errors import UserError
    from vitlab.evaluate._checkpoint import ask

    asked = ask(path, data, device, own=own_settings(settings, "data"))
    if not asked.trained.task.classifies or not asked.trained.model.spec.num_classes:
        raise UserError(f"{path}: its task, {asked.trained.task.name}, does not classify, so no accuracy can be lost")
    return asked


def _batches(asked: "Asked", images: int | None) -> "tuple[Batches, int]":
    """The test images, or so many of them, prepared, as often as they are asked for; and how many they are."""
    from dataclasses import replace

    import torch

    every, count = len(asked.test), min(images or len(asked.test), len(asked.test))
    chosen = asked.test.subset(torch.arange(count) * every // count)
    subject = replace(asked.subject, batch_size=_BATCH, pictures=lambda split: chosen)

    def prepared() -> "Iterator[Any]":
        for batch in subject.batches("test"):
            yield batch.images[0], batch.labels

    return prepared, count


def _told(progress: Progress, number: int, models: int, images: int, both: bool) -> Callable[[int], object]:
    """Counts images through one of several models, once or, with the curve of the heads, twice."""
    done, wanted = number * images, models * images * (2 if both else 1)

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(done / wanted)

    return count
