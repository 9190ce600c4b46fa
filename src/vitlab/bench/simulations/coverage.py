"""What 95 % intervals cover: of means, differences, main effects and interactions, over all seeds and pictures."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy import stats

from vitlab.bench.simulations.factorial import (
    CELLS,
    INTERACTION,
    MAIN_EFFECT,
    drawn_hits,
    effect_named,
)
from vitlab.bench.simulations.laws import LEVEL, Chances, PictureLaw
from vitlab.bench.simulations.row import Kind, Row
from vitlab.stats.crossed import ScoreTable, contrast, critical
from vitlab.stats.factorial import Combination

PICTURES = (360, 1_000, 10_000)
SEEDS = (3, 6)
ALLOWED = {3: (0.93, 0.98), 6: (0.935, 0.965)}  # what they are to cover, by how many seeds
LAWS = {"pictures": PictureLaw(), "pictures, seeds that differ more": PictureLaw(seed=0.1)}
MEAN, DIFFERENCE = "mean", "difference"
CONTRASTS = (MEAN, DIFFERENCE, MAIN_EFFECT, INTERACTION)

_LEVELS = dict(zip(CELLS, (LEVEL, LEVEL + 0.1, LEVEL - 0.1, LEVEL + 0.2), strict=True))


def _weights(name: str) -> Mapping[Combination, float]:
    """Of the cells whose means make a contrast."""
    baseline, other, *_ = CELLS
    if name == MEAN:
        return {baseline: 1.0}
    if name == DIFFERENCE:
        return {other: 1.0, baseline: -1.0}
    return effect_named(name).weights


def _study(row: Row, chances: Chances) -> dict[str, bool]:
    law = LAWS[row.law]
    assert row.contrast is not None
    weights = _weights(row.contrast)
    true = sum(weight * law.mean(_LEVELS[cell]) for cell, weight in weights.items())
    cells = drawn_hits(row, chances, law, _LEVELS)
    tables = [cells[cell] for cell in weights]
    value = contrast(tables, list(weights.values())).value or 0.0
    return {how: abs(value - true) <= half for how, half in _halves(tables, list(weights.values()))}


def _halves(tables: Sequence[ScoreTable], weights: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Half of an interval: of vitlab's, of that over seeds alone, and of those that it was chosen over."""
    estimate = contrast(tables, weights)
    for how, interval in (("crossed", estimate.interval()), ("seeds alone", estimate.interval_over_seeds())):
        yield how, (interval.high - interval.low) / 2 if interval else 0.0
    every = [part for part in (*estimate.seeds, estimate.pictures) if part is not None and part.variance > 0]
    error = estimate.error or 0.0
    squares = sum(part.variance**2 / part.df for part in every)
    yield "Satterthwaite", float(stats.t.ppf(0.975, error**4 / squares)) * error if squares else 0.0
    yield "Cochran and Cox", critical(0.05, every) * error if every else 0.0
    yield "crossed bootstrap", float(stats.norm.ppf(0.975)) * bootstrap_error(tables, weights)


def bootstrap_error(tables: Sequence[ScoreTable], weights: Sequence[float]) -> float:
    """The standard error that a crossed bootstrap has in the limit: runs of every cell and pictures of all cells are
    drawn anew with replacement, each alone (Owen 2007, The pigeonhole bootstrap).

    Of a table of n runs and P pictures it varies as A/n + B/P + AB/(n·P), of the variances of its runs, of its pictures
    and of what neither explains, all with n and P in their denominators. So AB is counted three times, in A and B, too.
    """
    pictures = np.array([table.pictures for table in tables])
    count = pictures.shape[1]
    variance = float(np.var(np.array(weights) @ pictures)) / count
    for table, weight in zip(tables, weights, strict=True):
        left = table.residual * (table.n - 1) * (count - 1) / (table.n * count)
        variance += weight**2 * (float(np.var(table.runs)) + left / count) / table.n
    return variance**0.5


def _asked(row: Mapping[str, Any], chance: float) -> str:
    low, high = ALLOWED[row["seeds"]]
    allowed, covered = chance * (0.05 * 0.95) ** 0.5, row["crossed"]
    return "" if low - allowed <= covered <= high + allowed else f"crossed intervals cover {covered:.3f}"


COVERAGE = Kind(
    title="share of 95 % intervals that hold the true value",
    told_by=("contrast", "law", "seeds", "pictures"),
    rows=tuple(
        Row("coverage", law, seeds, 3, seeds, pictures, contrast=name)
        for name, law, seeds, pictures in product(CONTRASTS, LAWS, SEEDS, PICTURES)
    ),
    study=_study,
    asked=_asked,
)
