"""One run as its records tell it: read, checked, typed. The formats are in `vitlab.base.records`; no torch here.

A record that is absent is absent with the reason; one that is damaged is a DataError. Nothing is filled in.
"""

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vitlab.base.errors import DataError
from vitlab.base.records import read_json, read_lines
from vitlab.stats.sampling import wilson

Metrics = dict[str, float | None]
STATUSES = ("finished", "failed", "interrupted", "unfinished")  # the last: there is no result.json
EXACT = "exact"  # of the order: what any step sees is known from the seed alone
SPLITS = {"test": "test", "val": "validation", "train": "training"}  # as the records say it, as the page says it


@dataclass(frozen=True)
class Predictions:
    """What the run said about every image of a held-out split."""

    split: str  # a key of SPLITS
    labels: np.ndarray  # [n] int
    probabilities: np.ndarray  # [n, Y] float32
    mistakes: np.ndarray  # [m] int: the images whose wrong class got the highest probability
    mistake_pixels: np.ndarray  # [m, H, W, C] uint8, C is 1 or 3

    @cached_property
    def predicted(self) -> np.ndarray:
        """[n] the class of highest probability"""
        return self.probabilities.argmax(axis=1)

    @property
    def num_correct(self) -> int:
        """How many images were classified rightly."""
        return int((self.predicted == self.labels).sum())

    def confusion(self) -> np.ndarray:
        """[Y, Y] how many images of a class (row) were taken for a class (column)"""
        classes = self.probabilities.shape[1]
        pairs = self.labels.astype(np.int64) * classes + self.predicted
        return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)

    def most_confused(self, limit: int) -> list[tuple[int, int, int]]:
        """The commonest mistakes: (class, the class it was taken for, how often), at most `limit`, commonest first."""
        wrong = self.confusion()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
        pairs = [(int(cell // len(wrong)), int(cell % len(wrong))) for cell in order]
        return [(true, taken, int(wrong[true, taken])) for true, taken in pairs if wrong[true, taken]]


@dataclass(frozen=True)
class Pictures:
    """The pictures of the run: how many each split has, which could not be read, how those of training are ordered."""

    counts: dict[str, int]  # by the keys of SPLITS
    unreadable: dict[str, tuple[str, ...]]  # names; these pictures are not among the counted
    order: str  # EXACT, or what is not exact about it


@dataclass(frozen=True)
class RunRecord:
    """A run's records. `missing` maps the name of a record that is not there to the reason."""

    status: str  # one of STATUSES
    reason: str | None  # why it did not finish
    recipe: str | None
    id: str | None
    spec: dict[str, Any]
    env: dict[str, Any]
    history: list[Metrics]  # the lines of metrics.jsonl
    metrics: Metrics  # of result.json; what was not measured is None or absent
    class_names: tuple[str, ...]  # empty if not recorded
    pictures: Pictures | None
    predictions: Predictions | None
    missing: dict[str, str]

    @property
    def data_name(self) -> str | None:
        """The data set, much as `--data` names it: `digits`, `hub:ORG/NAME`, `folder:` and the folder's name."""
        data = self.spec.get("data")
        if not isinstance(data, dict) or "name" not in data:
            return None
        place = Path(data["path"]).name if data.get("path") else data.get("repo")
        return f"{data['name']}:{place}" if place else str(data["name"])

    def class_name(self, index: int) -> str:
        """The name of a class, or its number if names were not recorded."""
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"


def read_run(folder: Path, *, with_predictions: bool = True) -> RunRecord:
    """The records in a run directory. Raises DataError if one is damaged, or if there is no spec.json.

    Predictions may be left out where many runs are read: they are by far the largest.
    """
    spec, missing = read_json(folder / "spec.json"), dict[str, str]()
    env = _read_optional(folder, "env.json", missing)
    result = _read_optional(folder, "result.json", missing)
    preprocessing = _read_optional(folder, "preprocessing.json", missing)
    data = _read_optional(folder, "data.json", missing)
    history = [_numbers(line, folder / "metrics.jsonl") for line in read_lines(folder / "metrics.jsonl")]
    if not history:
        missing["metrics.jsonl"] = "no evaluation was recorded"
    predictions = _read_predictions(folder / "predictions.npz") if with_predictions else None
    if not with_predictions:
        missing["predictions.npz"] = "predictions were not read"
    elif predictions is None:
        missing["predictions.npz"] = "the run directory has no predictions.npz, which a run writes when it finishes"
    return RunRecord(
        status=_status(result, folder / "result.json"),
        reason=result.get("reason") if result else "There is no result.json: it still runs, or it was killed.",
        recipe=spec.get("recipe"),
        id=spec.get("id"),
        spec=_mapping(spec.get("spec"), folder / "spec.json", "spec"),
        env=env,
        history=history,
        metrics=_numbers(result.get("metrics") or {}, folder / "result.json"),
        class_names=tuple(map(str, preprocessing.get("class_names") or ())),
        pictures=_pictures(data, folder / "data.json") if data else None,
        predictions=predictions,
        missing=missing,
    )


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson, 1927): what chance in drawing `trials` images leaves open."""
    found = wilson(successes / trials, trials, confidence)
    return found.low, found.high


# ------------------------------------------------------------------------------------------------- reading, checking


def _read_optional(folder: Path, name: str, missing: dict[str, str]) -> dict[str, Any]:
    if (folder / name).exists():
        return read_json(folder / name)
    missing[name] = f"the run directory has no {name}"
    return {}


def _status(result: dict[str, Any], path: Path) -> str:
    status = result.get("status", "unfinished")
    if status not in STATUSES:
        raise DataError(f"{path} is damaged: status is {status!r}, expected one of {', '.join(STATUSES)}")
    return status


def _mapping(values: Any, path: Path, name: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise DataError(f"{path} is damaged: {name} is {values!r}, expected settings by name")
    return values


def _numbers(values: Any, path: Path) -> Metrics:
    for name, value in _mapping(values, path, "a set of metrics").items():
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise DataError(f"{path} is damaged: {name} is {value!r}, expected a number or null")
    return values


def _pictures(data: dict[str, Any], path: Path) -> Pictures:
    counts, unreadable = {}, {}
    for split in SPLITS:
        values = _mapping(data.get(split), path, split)
        number, names = values.get("images"), values.get("names", [])
        if not isinstance(number, int):
            raise DataError(f"{path} is damaged: {split} has {number!r} images, expected a number")
        if not isinstance(names, list):
            raise DataError(f"{path} is damaged: the names in {split} are {names!r}, expected a list")
        counts[split] = number
        if names:
            unreadable[split] = tuple(map(str, names))
    return Pictures(counts, unreadable, str(data.get("order")))


def _read_predictions(path: Path) -> Predictions | None:
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            fields = {name: arrays[name] for name in ("labels", "probabilities", "mistakes", "mistake_pixels")}
            predictions = Predictions(split=str(arrays["split"]), **fields)
    except (OSError, EOFError, TypeError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged: {error}") from None
    if (broken := _broken(predictions)) is not None:
        raise DataError(f"{path} is damaged: {broken}")
    return predictions


def _broken(found: Predictions) -> str | None:
    """What does not fit together in the predictions; None if all does."""
    count, classes = found.probabilities.shape if found.probabilities.ndim == 2 else (0, 0)
    if not (count and classes) or found.labels.shape != (count,):
        return f"labels {found.labels.shape} do not fit probabilities {found.probabilities.shape}"
    if found.split not in SPLITS:
        return f"split is {found.split!r}, expected one of {', '.join(SPLITS)}"
    if found.labels.dtype.kind not in "iu" or found.labels.min() < 0 or found.labels.max() >= classes:
        return f"labels are not classes from 0 to {classes - 1}"
    pixels, chosen = found.mistake_pixels, found.mistakes
    if chosen.ndim != 1 or (chosen.size and (chosen.dtype.kind not in "iu" or not _inside(chosen, count))):
        return f"mistakes are not indices of {count} images"
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or len(pixels) != len(chosen) or pixels.shape[3] not in (1, 3):
        return f"mistake_pixels {pixels.shape} {pixels.dtype} are not {len(chosen)} pictures of 1 or 3 channels"
    if chosen.size and (found.predicted[chosen] == found.labels[chosen]).any():
        return "an image among the mistakes was classified rightly"
    return None


def _inside(indices: np.ndarray, count: int) -> bool:
    return bool(indices.min() >= 0 and indices.max() < count)
