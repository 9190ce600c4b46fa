"""A run's pictures.npz and pictures_val.npz: what it scored of every picture that it was tested on, and validated with,
so that a study knows what pictures are worth.

A metric whose scores are all 0 or 1 (top-1, top-5) is kept as bits: 1.25 kB for 10,000 pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitlab.base.files import replacing
from vitlab.records._archives import damaged, read_of_split

_FILES = {"test": "pictures.npz", "val": "pictures_val.npz"}  # by what is held out
_BITS, _NUMBERS = "bits_", "numbers_"  # what an array's name begins with, before the metric's


@dataclass(frozen=True)
class PictureScores:
    """By metric, without the split: [P] what each picture scored, booleans or float32; and the classes, `labels`
    [P]."""

    split: str  # "test" or "val"
    labels: np.ndarray
    scores: Mapping[str, np.ndarray]

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        arrays: dict[str, Any] = {}
        for name, values in self.scores.items():
            hits = values.astype(bool)
            if np.array_equal(hits, values):
                arrays[f"{_BITS}{name}"] = np.packbits(hits)
            else:
                arrays[f"{_NUMBERS}{name}"] = values.astype(np.float32)
        with replacing(folder / file_of(self.split)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, split=self.split, labels=self.labels.astype(np.int32), **arrays)


def file_of(split: str) -> str:
    """What the record of a held-out split is called."""
    return _FILES[split]


def read_pictures(folder: Path, split: str) -> PictureScores | None:
    """The record of a split in a folder, or None. Raises DataError if it is damaged."""
    if split not in _FILES:
        return None
    path = folder / file_of(split)
    if (arrays := read_of_split(path, "labels", splits=[split])) is None:
        return None
    labels = arrays["labels"]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise damaged(path, f"labels {labels.shape} {labels.dtype} are not a class each")
    scores = {}
    for name, values in arrays.items():
        for kind in (_BITS, _NUMBERS):
            if name.startswith(kind):
                scores[name.removeprefix(kind)] = _scores(path, name, values, len(labels))
    return PictureScores(split, labels, scores)


def _scores(path: Path, name: str, values: np.ndarray, pictures: int) -> np.ndarray:
    if name.startswith(_BITS):
        if values.dtype != np.uint8 or values.shape != (-(-pictures // 8),):
            raise damaged(path, f"{name} {values.shape} {values.dtype} are not {pictures} bits")
        return np.unpackbits(values, count=pictures).astype(bool)
    if values.dtype.kind != "f" or values.shape != (pictures,) or not np.isfinite(values).all():
        raise damaged(path, f"{name} are not {pictures} numbers")
    return values
