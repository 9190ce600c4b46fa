"""What the runs of a study scored, as a whole and of every picture: from their records alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vitlab.base.errors import DataError
from vitlab.records.data import DataRecord
from vitlab.records.outcome import CellOutcome
from vitlab.records.pictures import PictureScores, file_of, read_pictures
from vitlab.records.plan import CellRecord, PlanRecord
from vitlab.stats.by_class import BALANCED_ACCURACY, balanced_scores
from vitlab.stats.crossed import ScoreTable
from vitlab.study.study_dir import StudyDir

Run = tuple[str, int]  # a cell and a seed

_ROUNDING = 1e-4  # of a mean of single-precision numbers, as a share of it
_SURE = 1.645  # standard errors above always naming the largest class: a one-sided test at .05


@dataclass(frozen=True)
class CellScores:
    """A cell's finished runs: the score of each, by seed, and of every picture where all of them have kept it."""

    name: str
    by_seed: Mapping[int, float]
    pictures: Mapping[int, np.ndarray] | None

    def table(self) -> ScoreTable:
        """As statistics take them."""
        scores = None if self.pictures is None else np.stack([self.pictures[seed] for seed in self.by_seed])
        return ScoreTable(list(self.by_seed.values()), scores, self.name)


class StudyScores(NamedTuple):
    """By cell; and why no scores of single pictures are known, empty if they are."""

    cells: dict[str, CellScores]
    no_pictures: str


def cell_scores(study_dir: StudyDir, plan: PlanRecord, cells: tuple[CellOutcome, ...]) -> StudyScores:
    """What the runs of all cells scored. Pictures are known where all finished runs have kept them, and they are the
    same. Raises DataError for a record of pictures that is not of the run in whose folder it stands.
    """
    by_seed = {cell.name: cell.scores(plan.metric) for cell in cells}
    runs = {(cell.name, run.seed): run for cell in cells for run in cell.runs if run.seed in by_seed[cell.name]}
    split = plan.metric.partition("_")[0]
    kept = {run: read_pictures(study_dir.path / found.folder, split) for run, found in runs.items()}
    for run, pictures in kept.items():
        if pictures is not None:
            _check_means(run, pictures, runs[run].metrics)
    known, why_not = _of_the_same(kept, plan)
    scores = {
        name: CellScores(name, scores, {seed: known[name, seed] for seed in scores} if known and scores else None)
        for name, scores in by_seed.items()
    }
    return StudyScores(scores, why_not)


def paired_table(cells: Mapping[str, CellScores], weights: Mapping[str, float]) -> ScoreTable:
    """A contrast of every seed that all its cells have."""
    chosen = [cells[name] for name in weights]
    seeds = [seed for seed in chosen[0].by_seed if all(seed in cell.by_seed for cell in chosen)]
    factors = list(weights.values())
    runs = [sum(w * cell.by_seed[seed] for w, cell in zip(factors, chosen, strict=True)) for seed in seeds]
    name = f"{' and '.join(weights)}, seed by seed"
    if not seeds or any(cell.pictures is None for cell in chosen):
        return ScoreTable(runs, name=name)
    known = [(w, cell.pictures) for w, cell in zip(factors, chosen, strict=True) if cell.pictures is not None]
    return ScoreTable(
        runs, np.stack([sum(w * scores[seed].astype(float) for w, scores in known) for seed in seeds]), name
    )


def images_of_split(study_dir: StudyDir, plan: PlanRecord, cell: CellRecord) -> int | None:
    """How many images the split of the metric has in a cell; None before its first run has begun."""
    split = plan.metric.partition("_")[0]
    for candidate in cell.candidates:
        for seed in cell.seeds:
            run = study_dir.run(cell, candidate, seed)
            data = DataRecord.read_if_there(run.place) if study_dir.state(run).begun else None
            if data:
                return data.split(split).images
    return None


def learned_nothing(data: DataRecord | None, plan: PlanRecord, metrics: Mapping[str, Any]) -> bool:
    """Whether a finished run is no better than always naming the largest class, as far as its test pictures tell."""
    found = data.found.splits.get("test") if data and data.found else None
    right = [name for name, metric in plan.metrics.items() if metric.counts_right and name.startswith("test_")]
    accuracy = metrics.get(right[0]) if right else None
    if accuracy is None or found is None or found.images == 0 or len(found.classes) < 2:
        return False
    share = found.largest_share
    enough = share + _SURE * (share * (1 - share) / found.images) ** 0.5
    return bool(accuracy <= enough < 1.0)  # of a few pictures no accuracy is enough


def _of_the_same(kept: Mapping[Run, PictureScores | None], plan: PlanRecord) -> tuple[dict[Run, np.ndarray], str]:
    """What each run scored of every picture; or nothing and why: a run has not kept it, or has seen other pictures, as
    far as their classes tell.
    """
    split, _, name = plan.metric.partition("_")
    known: dict[Run, PictureScores] = {}
    scores: dict[Run, np.ndarray] = {}
    for run, pictures in kept.items():
        scored = _scores(pictures, name, plan) if pictures else None
        if pictures is None or scored is None:
            return {}, f"{_called(run)}, has kept no {name} of {split} images"
        known[run], scores[run] = pictures, scored
        if not np.array_equal(pictures.labels, next(iter(known.values())).labels):
            return {}, f"{_called(run)}, was tested on other images than {_called(next(iter(known)))}"
    return scores, ""


def _scores(pictures: PictureScores, name: str, plan: PlanRecord) -> np.ndarray | None:
    """What every picture scored by a metric: as it was kept, or, of the mean recall of the classes, from which were
    right.
    """
    if name in pictures.scores:
        return pictures.scores[name]
    right = [hits for metric, hits in pictures.scores.items() if _counts_right(plan, f"{pictures.split}_{metric}")]
    return balanced_scores(pictures.labels, right[0]) if name == BALANCED_ACCURACY and right else None


def _counts_right(plan: PlanRecord, metric: str) -> bool:
    return metric in plan.metrics and plan.metrics[metric].counts_right


def _check_means(run: Run, pictures: PictureScores, metrics: Mapping[str, Any]) -> None:
    """Refuse what is not of the run in whose folder it stands, whatever metric tells it. Raises DataError."""
    for name, scores in pictures.scores.items():
        mean, score = float(scores.mean(dtype=np.float64)), metrics.get(f"{pictures.split}_{name}")
        if score is not None and abs(mean - score) > _ROUNDING * max(1.0, abs(score)):
            raise DataError(
                f"{_called(run)}: the mean {name} of its {file_of(pictures.split)} is {mean:.6g}, and its result has "
                f"{score:.6g}: one of both is not of this run; remove the one that is not"
            )


def _called(run: Run) -> str:
    return f"{run[0]}, seed {run[1]}"
