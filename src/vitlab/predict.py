"""Predictions of picture files: what a trained model says of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from vitlab.base.errors import DataError, UserError
from vitlab.checkpoints.trained import Trained
from vitlab.data.decode import SUFFIXES, Unreadable, decode, looks_like_a_picture


@dataclass(frozen=True)
class Prediction:
    """A picture's most probable classes, the first first; none and the `reason` if it is unreadable."""

    path: Path
    classes: tuple[tuple[str, float], ...]
    reason: str | None = None


def picture_files(paths: Sequence[Path]) -> list[Path]:
    """The picture files at `paths`, folders searched through and through. Raises DataError if there is none."""
    pictures: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist")
        pictures += sorted(filter(_is_picture, path.rglob("*"))) if path.is_dir() else [path]
    if not pictures:
        raise DataError(f"no picture in {', '.join(map(str, paths))}; file types: {', '.join(sorted(SUFFIXES))}")
    return pictures


def _is_picture(path: Path) -> bool:
    """Whether it is a file, not a pipe, say, and one of pictures by its name."""
    return looks_like_a_picture(path.name) and path.is_file()


@torch.no_grad()
def predict(trained: Trained, paths: Sequence[Path], top: int = 5) -> Iterator[Prediction]:
    """The `top` classes of every picture, as sure as the task says that the model is.

    A picture goes the way that it would go in an evaluation. Raises UserError for a task that knows no classes.
    """
    task, names = trained.task, trained.preprocessing.class_names
    if not task.has_logits:
        raise UserError(f"task={task.name}: it has no classes, so there is nothing to predict")
    prepare = trained.preprocessing.pipeline(len(names))
    for path in paths:
        try:
            pixels = decode(path, trained.preprocessing.frame)
        except Unreadable as error:
            yield Prediction(path, (), str(error))
            continue
        probabilities = task.probabilities(trained.model(prepare.one(pixels)))[0]
        best = probabilities.topk(min(top, len(names)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        yield Prediction(path, tuple((names[index], value) for index, value in pairs))
