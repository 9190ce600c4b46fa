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


def images_of_split(folder: StudyFolder, plan: Mapping[str, Any]) -> int | None:
    """How many images the split of the metric has; None before the first run has begun."""
    split = plan["metric"].partition("_")[0]
    for cell in plan["cells"]:
        for candidate in cell["candidates"]:
            for seed in plan["seeds"]:
                described = folder.run(cell, candidate, seed) / "data.json"
                if described.exists():
                    return records.read_json(described).get(split, {}).get("images")
    return None


def sampling_errors(study: Path, cells: "Iterable[CellOutcome]") -> dict[str, float | None]:
    """Of every cell that is compared: the test set's standard error of its difference in accuracy.

    Both cells see the same images, so it is computed image by image, from the share of runs that are right on each.
    """
    shares = {cell.name: _share_right(study, cell) for cell in cells}
    return {cell.name: _error(shares[cell.against], shares[cell.name]) for cell in cells if cell.against is not None}


def _error(before: np.ndarray | None, after: np.ndarray | None) -> float | None:
    return None if before is None or after is None else images_error(after - before)


def _share_right(study: Path, cell: "CellOutcome") -> np.ndarray | None:
    """[images] the share of the cell's runs that classify each rightly; None if no run kept its predictions."""
    paths = [study / run.folder / "predictions.npz" for run in cell.runs if run.status == "finished"]
    right = [_right(path) for path in paths if path.exists()]
    return np.mean(right, axis=0) if right else None


def _right(path: Path) -> np.ndarray:
    with np.load(path, allow_pickle=False) as kept:
        return kept["probabilities"].argmax(axis=1) == kept["labels"]
