"""Means and contrasts over two crossed sources of variation: the seeds of a cell and the pictures that it is tested on.

A claim about a cell is meant for other seeds *and* for other pictures of this kind. All runs of all cells see the same
pictures, so the two are crossed, as readers and cases are in a multi-reader study. Of cells c with weights w_c, runs r
and pictures p, the estimate is Σ w_c·y[c,·,·] (a dot is a mean), and its variance by the method of moments

    seeds       Σ w_c²·s_c²/n_c                   s_c²: of the run means y[c,r,·]
    pictures    (v - Σ w_c²·e_c²/n_c)/P           v: of the pictures' contrasts Σ w_c·y[c,·,p]
                                                  e_c²: the residual mean square of the cell's table, run by picture

The residual stands in both of the first two, so it is taken off once. A picture variance below 0 is 0. With one run
e_c² is not known, and nothing is taken off: the variance is then too large and never too small.

The cells' seeds have the degrees of freedom of Welch (1938) and Satterthwaite, the pictures P - 1. The critical value
is the t quantiles of both, weighted by their variances (Cochran and Cox 1950): exact where one is all, and on the safe
side between. One Satterthwaite for all parts is not: with 3 runs its 95 % intervals of a mean cover 91 to 96 %. Weights
for every cell's seeds are too far on the safe side: they cover 98 to 99.9 % of effects of 3 runs a cell
(docs/statistics.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from vitlab.base.errors import UserError
from vitlab.stats.intervals import LEVEL, Interval
from vitlab.stats.validation import ROUNDING, Array, constant, largest, numbers, only, share

METHOD = "crossed t"  # what intervals over seeds and pictures are called
SEEDS_METHOD = "t"
_LEAST_P = 1e-100  # below, the quantiles of few degrees of freedom are too far out for double precision
NO_PICTURES = "what single images scored was not kept"


class ScoreTable:
    """A cell's scores: `runs` [n] of its runs, `pictures` [P] their mean over runs of every picture, `residual` the
    mean square of what neither explains. `pictures` is None where single pictures are not known.
    """

    def __init__(self, runs: ArrayLike, scores: NDArray[np.generic] | None = None, name: str = "scores") -> None:
        """`scores` [n, P]: what each run scored of each picture, in the unit of `runs`, the means."""
        self.name = name
        self.runs: Array = numbers(name, runs)
        self.pictures: Array | None = None
        self.residual = 0.0
        if scores is not None:
            if scores.ndim != 2 or len(scores) != len(self.runs):
                raise UserError(f"{name}: {len(self.runs)} runs and scores of pictures of shape {scores.shape}")
            if scores.shape[1] > 1:
                self.pictures, self.residual = _two_way(scores)

    @property
    def n(self) -> int:
        """How many runs."""
        return len(self.runs)

    @property
    def mean(self) -> float:
        """Over all runs."""
        return float(self.runs.mean())

    @cached_property
    def run_variance(self) -> float | None:
        """Of the run means; exactly 0 where they differ by rounding alone, None of a single run."""
        if self.n < 2:
            return None
        return 0.0 if constant(self.runs, largest(self.runs)) else float(self.runs.var(ddof=1))

    @property
    def seed_variance(self) -> float:
        """Of the run means; of means that tie by chance, what the runs' differences on single pictures make it."""
        return self.run_variance or (0.0 if self.pictures is None else self.residual / len(self.pictures))


def _two_way(scores: NDArray[np.generic]) -> tuple[Array, float]:
    """[n, P] -> the means of the pictures [P], and the residual mean square of the table; 0 of a single run."""
    n, count = scores.shape
    pictures = scores.mean(axis=0, dtype=np.float64)
    if n == 1:
        return pictures, 0.0
    runs = scores.mean(axis=1, dtype=np.float64)
    grand = runs.mean()
    squares = float(np.square(scores, dtype=np.float64).sum())
    left = squares - count * np.square(runs).sum() - n * np.square(pictures).sum() + n * count * grand**2
    return pictures, max(0.0, float(left)) / ((n - 1) * (count - 1))


@dataclass(frozen=True)
class Part:
    """A part of a variance, with its degrees of freedom."""

    variance: float
    df: float


@dataclass(frozen=True)
class Estimate:
    """A mean or a contrast of cells, with where its variance comes from.

    `seeds`: a part a cell; `pictures`: None where single pictures are not known, or where the pictures are not the
    same. `reasons`: why there is no `value`, or no `error`.
    """

    value: float | None
    seeds: tuple[Part, ...] = ()
    pictures: Part | None = None
    scale: float = 0.0  # the largest score: what differs by less than its rounding is equal
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What varies: the seeds of all cells together, and the pictures."""
        both = (_together(self.seeds), self.pictures)
        return tuple(part for part in both if part is not None and part.variance > 0)

    @property
    def error(self) -> float | None:
        """The standard error over both sources, 0 where nothing varies; None where it is not known."""
        return None if "error" in self.reasons else _root(self.parts)

    @property
    def seed_error(self) -> float | None:
        """Over seeds alone, on these very pictures."""
        return None if "error" in self.reasons else _root(self.seeds)

    @property
    def picture_error(self) -> float | None:
        """Over pictures alone, as if the cells had runs without end."""
        return None if self.pictures is None or "error" in self.reasons else self.pictures.variance**0.5

    def p(self) -> float | None:
        """Two-sided p of "it is 0"; 1 where nothing varies and it is 0, None where it cannot be told."""
        if self.value is None or self.error is None:
            return None
        if self.error == 0:
            return 1.0 if abs(self.value) <= ROUNDING * self.scale else None
        return _p(abs(self.value) / self.error, self.parts)

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Over seeds and pictures, if both are known; over what is known otherwise."""
        return self._around(self.parts, level, METHOD if self.pictures else SEEDS_METHOD)

    def interval_over_seeds(self, level: float = LEVEL) -> Interval | None:
        """On these very pictures."""
        return self._around(tuple(part for part in [_together(self.seeds)] if part.variance > 0), level, SEEDS_METHOD)

    def _around(self, parts: Sequence[Part], level: float, method: str) -> Interval | None:
        if self.value is None or self.error is None or not parts:
            return None
        half = critical(1 - share("level", level), parts) * _root(parts)
        return Interval(self.value - half, self.value + half, level, method)


def contrast(tables: Sequence[ScoreTable], weights: Sequence[float]) -> Estimate:
    """Σ weights·means of some cells; pictures are taken into account where all cells have the same ones."""
    empty = [table.name for table in tables if table.n == 0]
    if empty:
        return Estimate(None, reasons=dict.fromkeys(("value", "error"), f"{empty[0]}: no run has a score"))
    scale = max(largest(table.runs) for table in tables)
    value = sum(weight * table.mean for weight, table in zip(weights, tables, strict=True))
    value = 0.0 if abs(value) <= ROUNDING * scale else float(value)
    single = [table.name for table in tables if table.run_variance is None]
    seeds = tuple(
        Part(weight**2 * table.seed_variance / table.n, table.n - 1)
        for weight, table in zip(weights, tables, strict=True)
    )
    reasons = only(error=f"{single[0]}: 1 run has no spread" if single else "")
    return Estimate(value, seeds, _pictures(tables, weights), scale, reasons)


def _pictures(tables: Sequence[ScoreTable], weights: Sequence[float]) -> Part | None:
    """The pictures' part of a contrast's variance."""
    known = [table.pictures for table in tables if table.pictures is not None]
    if len(known) < len(tables) or len({len(pictures) for pictures in known}) > 1:
        return None
    by_picture = sum(weight * pictures for weight, pictures in zip(weights, known, strict=True))
    count = len(known[0])
    noise = sum(weight**2 * table.residual / table.n for weight, table in zip(weights, tables, strict=True))
    return Part(max(0.0, float(np.var(by_picture, ddof=1)) - noise) / count, count - 1)


def _together(seeds: Sequence[Part]) -> Part:
    """The seeds of some cells as one part, with the degrees of freedom that its variance has (Satterthwaite 1946)."""
    variance = sum(part.variance for part in seeds)
    squares = sum(part.variance**2 / part.df for part in seeds if part.variance > 0)
    return Part(variance, variance**2 / squares) if squares else Part(0.0, 1)


def critical(alpha: float, parts: Sequence[Part]) -> float:
    """How many standard errors a two-sided test at `alpha` asks for."""
    variances = np.array([part.variance for part in parts])
    quantiles = -special.stdtrit(np.array([part.df for part in parts], float), alpha / 2)
    return float(variances @ quantiles / variances.sum())


def two_sided_t(t: float, df: float) -> float:
    """The p of a t so far from 0. (SciPy's distribution does the same, a hundred times as slowly.)"""
    return float(2 * special.stdtr(df, -abs(t)))


def _p(t: float, parts: Sequence[Part]) -> float:
    """The `alpha` at which `t` standard errors are just enough."""
    if len(parts) == 1:
        return two_sided_t(t, parts[0].df)
    # It lies between those of the parts alone
    ends = sorted({part.df for part in parts})
    low, high = (max(_LEAST_P, two_sided_t(t, df)) for df in (ends[-1], ends[0]))
    if not low < high or critical(low, parts) <= t:
        return low

    def lacking(log_p: float) -> float:
        return critical(float(np.exp(log_p)), parts) - t

    return float(np.exp(optimize.brentq(lacking, np.log(low) - 1e-9, np.log(high) + 1e-9, xtol=1e-12)))


def _root(parts: Sequence[Part]) -> float:
    return sum(part.variance for part in parts) ** 0.5
