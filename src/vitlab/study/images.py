"""The test images of a study: how many, and how much of a difference between cells they could turn."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vitlab.base import records
from vitlab.stats.sampling import images_error
from vitlab.study.folder import StudyFolder

if TYPE_CHECKING:
    from vitlab.study.outcome import CellOutcome


def images_of_split(folder: StudyFolder, plan: Mapping[str, Any], cell: Mapping[str, Any]) -> int | None:
    """How many images the split of the metric has in a cell; None before its first run has begun."""
    split = plan["metric"].partition("_")[0]
    for candidate in cell["candidates"]:
        for seed in plan["seeds"]:
            described = folder.run(cell, candidate, seed) / "data.json"
            if described.exists():
                return records.read_json(described).get(split, {}).get("images")
    return None


def sampling_errors(study: Path, cells: "Iterable[CellOutcome]") -> dict[str, float | None]:
    """Of every cell that is compared: the test set's standard error of its difference in accuracy.

    Both cells see the same images, so it is computed image by image, from the share of runs that are right on each;
    over the seeds that both have. None where predictions are missing, or where the images are not the same.
    """
    right = {cell.name: _right_by_seed(study, cell) for cell in cells}
    return {cell.name: _error(right[cell.against], right[cell.name]) for cell in cells if cell.against is not None}


def _error(before: "_Right", after: "_Right") -> float | None:
    labels = [each for each, _ in (*before.values(), *after.values())]
    seeds = before.keys() & after.keys()
    if not seeds or not all(np.array_equal(each, labels[0]) for each in labels):
        return None
    differences = [after[seed][1].astype(float) - before[seed][1] for seed in seeds]
    return images_error(np.mean(differences, axis=0))


_Right = dict[int, tuple[np.ndarray, np.ndarray]]  # seed -> labels, and whether the run is right: [images] each


def _right_by_seed(study: Path, cell: "CellOutcome") -> _Right:
    """The runs of a cell that have finished and kept their predictions."""
    paths = {run.seed: study / run.folder / "predictions.npz" for run in cell.runs if run.status == "finished"}
    return {seed: _right(path) for seed, path in paths.items() if path.exists()}


def _right(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path, allow_pickle=False) as kept:
        labels = kept["labels"]
        return labels, kept["probabilities"].argmax(axis=1) == labels
