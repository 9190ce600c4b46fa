"""What 95 % intervals cover: of means, differences, main effects and interactions, over all seeds and pictures."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from scipy import stats

from vitlab.bench.simulations.factorial import (
    CELLS,
    INTERACTION,
    MAIN_EFFECT,
    Cells,
    drawn_hits,
    effect_named,
    estimate_of,
)
from vitlab.bench.simulations.laws import LEVEL, Chances, PictureLaw
from vitlab.bench.simulations.row import Kind, Row
from vitlab.stats.crossed import Estimate, ScoreTable, contrast, critical

PICTURES = (360, 1_000, 10_000)
SEEDS = (3, 6)
ALLOWED = {3: (0.93, 0.98), 6: (0.935, 0.965)}  # what they are to cover, by how many seeds
LAWS = {"pictures": PictureLaw(), "pictures, seeds that differ more": PictureLaw(seed=0.1)}
MEAN, DIFFERENCE = "mean", "difference"
CONTRASTS = (MEAN, DIFFERENCE, MAIN_EFFECT, INTERACTION)

_LEVELS = dict(zip(CELLS, (LEVEL, LEVEL + 0.1, LEVEL - 0.1, LEVEL + 0.2), strict=True))


def _contrast(name: str, cells: Cells) -> Estimate:
    baseline, other, *_ = cells.values()
    if name == MEAN:
        return contrast([baseline], [1.0])
    if name == DIFFERENCE:
        return contrast([other, baseline], [1.0, -1.0])
    return estimate_of(effect_named(name), cells)


def _study(row: Row, chances: Chances) -> dict[str, bool]:
    law = LAWS[row.law]
    assert row.contrast is not None
    true = _contrast(row.contrast, {cell: ScoreTable([law.mean(_LEVELS[cell])]) for cell in CELLS}).value or 0.0
    estimate = _contrast(row.contrast, drawn_hits(row, chances, law, _LEVELS))
    return {how: abs((estimate.value or 0.0) - true) <= half for how, half in _halves(estimate)}


def _halves(estimate: Estimate) -> Iterator[tuple[str, float]]:
    """Half of an interval: of vitlab's, of that over seeds alone, and of the two that it was chosen over."""
    for how, interval in (("crossed", estimate.interval()), ("seeds alone", estimate.interval_over_seeds())):
        yield how, (interval.high - interval.low) / 2 if interval else 0.0
    every = [part for part in (*estimate.seeds, estimate.pictures) if part is not None and part.variance > 0]
    error = estimate.error or 0.0
    squares = sum(part.variance**2 / part.df for part in every)
    yield "Satterthwaite", float(stats.t.ppf(0.975, error**4 / squares)) * error if squares else 0.0
    yield "Cochran and Cox", critical(0.05, every) * error if every else 0.0


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
