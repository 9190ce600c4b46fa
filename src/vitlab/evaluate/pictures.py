"""What a trained model says of picture files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from vitlab.augment.pipeline import Pipeline
from vitlab.base.errors import DataError
from vitlab.checkpoints.model import Preprocessing
from vitlab.data.decode import SUFFIXES, Frame, Unreadable, decode, looks_like_a_picture
from vitlab.models.vit import ViT
from vitlab.tasks._base import TaskSpec


@dataclass(frozen=True)
class Prediction:
    """A picture's most probable classes, the first first; none and the `reason` if it is unreadable."""

    path: Path
    classes: tuple[tuple[str, float], ...]
    reason: str | None = None


def find(paths: Sequence[Path]) -> list[Path]:
    """The picture files at `paths`, folders searched through and through. Raises DataError if there is none."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist")
        inside = sorted(p for p in path.rglob("*") if looks_like_a_picture(p.name)) if path.is_dir() else [path]
        found += inside
    if not found:
        raise DataError(f"no picture in {', '.join(map(str, paths))}; looked for {', '.join(sorted(SUFFIXES))}")
    return found


@torch.no_grad()
def predict(
    model: ViT, preprocessing: Preprocessing, task: TaskSpec, paths: Sequence[Path], top: int = 5
) -> Iterator[Prediction]:
    """The `top` classes of every picture, as sure as the task says that the model is.

    A picture goes the way that it would go in an evaluation.
    """
    before, names = preprocessing, preprocessing.class_names
    frame = Frame(before.img_size, model.spec.in_chans, before.fit)
    prepare = Pipeline(before.ops, before.mean, before.std, len(names))
    nothing = torch.zeros(1, 1, dtype=torch.int64)
    for path in paths:
        try:
            pixels = decode(path, frame)
        except Unreadable as error:
            yield Prediction(path, (), str(error))
            continue
        images, _ = prepare(pixels[None, None], nothing, nothing)
        probabilities = task.probabilities(model(images[0]))[0]
        best = probabilities.topk(min(top, len(names)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        yield Prediction(path, tuple((names[index], value) for index, value in pairs))
