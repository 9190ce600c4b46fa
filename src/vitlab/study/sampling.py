"""The images of a study: how many, and how much of a difference between cells they could turn."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vitlab.records.data import DataRecord
from vitlab.records.outcome import CellOutcome
from vitlab.records.plan import CellRecord, PlanRecord
from vitlab.records.predictions import Predictions, read_predictions
from vitlab.stats.sampling import images_error
from vitlab.study.study_dir import StudyDir

BySeed = dict[int, Predictions]


def images_of_split(study_dir: StudyDir, plan: PlanRecord, cell: CellRecord) -> int | None:
    """How many images the split of the metric has in a cell; None before its first run has begun."""
    split = plan.metric.partition("_")[0]
    for candidate in cell.candidates:
        for seed in plan.seeds:
            run = study_dir.run(cell, candidate, seed)
            data = DataRecord.read_if_there(run.place) if study_dir.state(run).begun else None
            if data:
                return data.split(split).images
    return None


def sampling_errors(study: Path, cells: Iterable[CellOutcome]) -> dict[str, float | None]:
    """Of every cell that is compared: the test set's standard error of its difference in accuracy.

    Both cells see the same images, so it is computed image by image, from the share of runs that are right on each;
    over the seeds that both have. None where predictions are missing, or where the images are not the same.
    """
    kept = {cell.name: _predictions(study, cell) for cell in cells}
    return {cell.name: _error(kept[cell.against], kept[cell.name]) for cell in cells if cell.against is not None}


def _error(before: BySeed, after: BySeed) -> float | None:
    labels = [predictions.labels for predictions in (*before.values(), *after.values())]
    seeds = before.keys() & after.keys()
    if not seeds or not all(np.array_equal(some, labels[0]) for some in labels):
        return None
    differences = [after[seed].right.astype(float) - before[seed].right for seed in seeds]
    return images_error(np.mean(differences, axis=0))


def _predictions(study: Path, cell: CellOutcome) -> BySeed:
    """Those of a cell's runs that have finished and kept them."""
    finished = [run for run in cell.runs if run.status == "finished"]
    kept = {run.seed: read_predictions(study / run.folder) for run in finished}
    return {seed: predictions for seed, predictions in kept.items() if predictions is not None}
