"""Predictions of pictures: what a trained model says of each."""

import csv
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import torch
from torch import Tensor

from vitlab.base.errors import DataError, UserError
from vitlab.base.files import replacing
from vitlab.checkpoints.trained import EquippedViT
from vitlab.data.decode import SUFFIXES, Unreadable, decode, looks_like_a_picture
from vitlab.data.in_hand import Picture, name_of, source_of

_BATCH = 32  # pictures at once: enough for a processor's cores
_DECODERS = 4
TABLES = (".csv", ".parquet")


@dataclass(frozen=True)
class Prediction:
    """A picture's most probable classes, the first first; none and the `reason` if it is unreadable. `path`: of its
    file, or its number among the pictures that were given.
    """

    path: str
    classes: tuple[tuple[str, float], ...]
    reason: str | None = None


def write_table(predictions: Sequence[Prediction], path: Path, top: int) -> None:
    """Write a row for each picture into a .csv or .parquet file: its path, its classes with their probabilities, the
    likeliest first, and why it is unreadable, empty if it is not.
    """
    most = max((len(each.classes) for each in predictions), default=0)
    columns: dict[str, list[Any]] = {"path": [each.path for each in predictions]}
    for place in range(min(top, most)):
        ranked = [each.classes[place] if place < len(each.classes) else ("", None) for each in predictions]
        columns |= {f"class_{place + 1}": [name for name, _ in ranked]}
        columns |= {f"probability_{place + 1}": [value for _, value in ranked]}
    columns["unreadable"] = [each.reason or "" for each in predictions]
    with replacing(path) as temporary:
        _write(columns, temporary, path.suffix)


def _write(columns: dict[str, list[Any]], path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))


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


def pictures_of(given: Sequence[Picture] | Picture) -> list[Picture]:
    """What was given, one or several, as single pictures: in place of a folder those in it. Raises DataError."""
    several = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    pictures: list[Picture] = []
    for each in several:
        pictures += picture_files([Path(each)]) if isinstance(each, str | Path) else [each]
    return pictures


def _is_picture(path: Path) -> bool:
    """Whether it is a file, not a pipe, say, and one of pictures by its name."""
    return looks_like_a_picture(path.name) and path.is_file()


def predict(model: EquippedViT, pictures: Sequence[Picture], top: int = 5) -> Iterator[Prediction]:
    """The `top` classes of every picture, as sure as the task says that the model is, in the order that they came in.

    A picture goes the way that it would go in an evaluation. Raises UserError for a task or a model without classes.
    """
    if top < 1:
        raise UserError(f"top={top}: must be at least 1")
    if not model.task.has_logits:
        raise UserError(f"task={model.task.name}: it has no classes, so there is nothing to predict")
    if not model.spec.num_classes:
        raise UserError("the model has no head, so there are no classes to predict: it gives features")
    if not model.class_names:
        raise UserError("what the model gives are no classes, but a projection: model(images) returns it")
    named = [(name_of(picture, number), picture) for number, picture in enumerate(pictures)]
    with ThreadPoolExecutor(_DECODERS) as decoders:
        for start in range(0, len(named), _BATCH):
            some = named[start : start + _BATCH]
            decoded = decoders.map(lambda each: _decoded(each[1], model), some)
            yield from _of_batch(model, [name for name, _ in some], list(decoded), top)


def _decoded(picture: Picture, model: EquippedViT) -> Tensor | str:
    """Its pixels [C, H, W], or why there are none."""
    try:
        return decode(source_of(picture), model.preprocessing.frame)
    except Unreadable as error:
        return str(error)


@torch.no_grad()
def _of_batch(
    model: EquippedViT, names: Sequence[str], decoded: Sequence[Tensor | str], top: int
) -> Iterator[Prediction]:
    readable = [pixels for pixels in decoded if isinstance(pixels, Tensor)]
    rows = iter(_probabilities(model, torch.stack(readable))) if readable else iter(())
    for name, pixels in zip(names, decoded, strict=True):
        if isinstance(pixels, str):
            yield Prediction(name, (), pixels)
            continue
        best = next(rows).topk(min(top, model.spec.num_classes))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        yield Prediction(name, tuple((model.class_names[index], value) for index, value in pairs))


def _probabilities(model: EquippedViT, pixels: Tensor) -> Tensor:
    """[n, C, H, W] uint8 -> [n, Y]"""
    like = next(model.parameters())
    images = model.preprocessing.pipeline(model.spec.num_classes).prepared(pixels.to(like.device))
    return model.task.probabilities(model(images.to(like.dtype))).cpu()
