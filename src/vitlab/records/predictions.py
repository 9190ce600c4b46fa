"""A run's predictions.npz: what it said of every image of a held-out split, and pictures of its worst mistakes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vitlab.base.files import replacing
from vitlab.records._archives import damaged, read_of_split

FILE = "predictions.npz"
_ROUNDING = 1e-3  # of a probability in low precision


@dataclass(frozen=True)
class Predictions:
    """What the run said about every image of a split."""

    split: str  # test, val or train
    labels: np.ndarray  # [n] int
    probabilities: np.ndarray  # [n, Y] float32
    mistakes: np.ndarray  # [m] int: the images whose wrong class got the highest probability
    mistake_pixels: np.ndarray  # [m, H, W, C] uint8, C is 1 or 3

    @cached_property
    def predicted(self) -> np.ndarray:
        """[n] the class of highest probability"""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def right(self) -> np.ndarray:
        """[n] whether the class of highest probability is the image's"""
        return self.predicted == self.labels

    @property
    def num_correct(self) -> int:
        """How many images were classified rightly."""
        return int(self.right.sum())

    def confusion(self) -> np.ndarray:
        """[Y, Y] how many images of a class (row) were taken for a class (column)"""
        classes = self.probabilities.shape[1]
        pairs = self.labels.astype(np.int64) * classes + self.predicted
        return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)

    def most_confused(self, limit: int) -> list[tuple[int, int, int]]:
        """The commonest mistakes: (class, the class it was taken for, how often), at most `limit`, commonest first."""
        classes = self.probabilities.shape[1]
        wrong = (self.labels.astype(np.int64) * classes + self.predicted)[~self.right]
        pairs, times = np.unique(wrong, return_counts=True)
        order = np.argsort(-times, kind="stable")[:limit]
        return [(int(pairs[at] // classes), int(pairs[at] % classes), int(times[at])) for at in order]

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        arrays = {name: getattr(self, name) for name in ("labels", "probabilities", "mistakes", "mistake_pixels")}
        with replacing(folder / FILE) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, split=self.split, **arrays)


def read_predictions(folder: Path) -> Predictions | None:
    """The record in a folder, or None. Raises DataError if it is damaged."""
    path = folder / FILE
    names = ("labels", "probabilities", "mistakes", "mistake_pixels")
    if (arrays := read_of_split(path, *names)) is None:
        return None
    predictions = Predictions(str(arrays["split"]), *(arrays[name] for name in names))
    if (broken := _broken(predictions)) is not None:
        raise damaged(path, broken)
    return predictions


def _broken(predictions: Predictions) -> str | None:
    """What does not fit together in the predictions; None if all does."""
    labels, probabilities = predictions.labels, predictions.probabilities
    count, classes = probabilities.shape if probabilities.ndim == 2 else (0, 0)
    if not (count and classes) or labels.shape != (count,):
        return f"labels {labels.shape} do not fit probabilities {probabilities.shape}"
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        return f"labels are not classes from 0 to {classes - 1}"
    if probabilities.dtype.kind != "f" or not ((probabilities >= 0) & (probabilities <= 1 + _ROUNDING)).all():
        return "probabilities are not numbers from 0 to 1"
    pixels, chosen = predictions.mistake_pixels, predictions.mistakes
    if chosen.ndim != 1 or (chosen.size and (chosen.dtype.kind not in "iu" or not _inside(chosen, count))):
        return f"mistakes are not indices of {count} images"
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or len(pixels) != len(chosen) or pixels.shape[3] not in (1, 3):
        return f"mistake_pixels {pixels.shape} {pixels.dtype} are not {len(chosen)} pictures of 1 or 3 channels"
    if chosen.size and predictions.right[chosen].any():
        return "an image among the mistakes was classified rightly"
    return None


def _inside(indices: np.ndarray, count: int) -> bool:
    return bool(indices.min() >= 0 and indices.max() < count)
