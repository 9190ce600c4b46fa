"""Intervals over pictures on the real CIFAR-10 test set: what a part of it says, against all the pictures that remain.

The hits are those of a study's runs that are kept as evidence; its runs are the same in the part and in the rest, so
only pictures vary.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vitlab.stats.crossed import ScoreTable, contrast
from vitlab.study.outcome import outcome
from vitlab.study.scores import cell_scores
from vitlab.study.study_dir import StudyDir

EVIDENCE = Path(__file__).parents[2] / "evidence" / "cifar10_positions_and_pooling"
PARTS = 600


@pytest.fixture(scope="module")
def hits():
    """By cell, the share of its runs that are right on each of the 10,000 pictures."""
    folder = StudyDir(EVIDENCE)
    scores, why_not = cell_scores(folder, folder.plan(), outcome(EVIDENCE).cells)
    assert why_not == ""
    return {name: np.mean(list(cell.pictures.values()), axis=0) for name, cell in scores.items()}


@pytest.mark.parametrize("size", [360, 1_000])
def test_the_interval_of_a_part_holds_the_value_of_the_rest(hits, size):
    """Of means and of differences, at 95 and at 80 %. The rest has an error of its own, which widens the interval."""
    baseline, *others = hits.values()
    assert baseline.shape == (10_000,)
    chances = np.random.default_rng(size)
    held: dict[float, list[bool]] = {0.95: [], 0.8: []}
    for _ in range(PARTS):
        part = np.zeros(10_000, bool)
        part[chances.choice(10_000, size, replace=False)] = True
        for cells in ([baseline], [others[0], baseline], [others[-1], baseline]):
            weights = [1.0, -1.0][: len(cells)]
            estimate = contrast([ScoreTable([cell[part].mean()], cell[part][None]) for cell in cells], weights)
            rest = sum(weight * cell[~part].mean() for weight, cell in zip(weights, cells, strict=True))
            error = (estimate.pictures.variance * (1 + size / (10_000 - size))) ** 0.5
            for level, each in held.items():
                each.append(abs(estimate.value - rest) <= stats.norm.isf((1 - level) / 2) * error)
    for level, each in held.items():
        assert np.mean(each) == pytest.approx(level, abs=0.02)
