"""The studentised permutation test of two cells over their runs, and its inversion.

If a cell's runs follow the baseline's law, every way to share the runs among the two is as likely as the one seen. p is
the share of these arrangements whose |t| (Welch's, so that unequal spread is asked for as little as possible; Janssen
1997, Chung and Romano 2013) is at least the one seen. Then p is exact whatever the law, and with unequal laws of equal
means close to it as runs grow. With several strata (a factorial's main effect: one a combination of the other factors)
runs are shared within each.

Up to COMPLETE arrangements all are taken, beyond that DRAWS of them, the same ones at every call. Few runs have few
arrangements: `smallest_p` is what a large effect is sure to get down to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from vitlab.stats.inversion import inverted
from vitlab.stats.validation import ROUNDING, Array, largest

COMPLETE = 50_000
DRAWS = 100_000  # the arrangement that was seen is the first of them, so that p is never 0 (Phipson and Smyth 2010)
_SEED = 0

Sizes = tuple[tuple[int, int], ...]  # runs of the cell and of the baseline, a pair a stratum


def arrangements(sizes: Sizes) -> int:
    """How many ways there are to share the runs."""
    return prod(comb(cell + baseline, cell) for cell, baseline in sizes)


def smallest_p(sizes: Sizes) -> float:
    """The smallest two-sided p that so many runs are sure to reach: .10 for 3 + 3, .0022 for 6 + 6."""
    return min(1.0, max(2 / arrangements(sizes), 0.0 if is_complete(sizes) else 1 / DRAWS))


def is_complete(sizes: Sizes) -> bool:
    """Whether all arrangements are taken."""
    return arrangements(sizes) <= COMPLETE


@dataclass(frozen=True)
class Stratum:
    """The runs of a cell and of what it is compared with."""

    cell: Array
    baseline: Array


class PermutationTest:
    """Of "the cell's runs are the baseline's, but for a shift"; `difference` is the mean over strata."""

    def __init__(self, strata: Sequence[Stratum]) -> None:
        self.sizes: Sizes = tuple((len(each.cell), len(each.baseline)) for each in strata)
        self.difference = float(np.mean([each.cell.mean() - each.baseline.mean() for each in strata]))
        self._scale = max(largest(each.cell, each.baseline) for each in strata)
        self._ways = _ways(self.sizes)
        self._sums = [_Sums(each, ways) for each, ways in zip(strata, self._ways, strict=True)]

    @property
    def smallest_p(self) -> float:
        """That so many runs can reach."""
        return smallest_p(self.sizes)

    def p(self, shift: float = 0.0) -> float:
        """Two-sided p of "the difference is `shift`"; the first arrangement is the one seen."""
        means, variances = zip(*(sums.moved(shift) for sums in self._sums), strict=True)
        distance, spread = np.abs(np.sum(means, axis=0)), np.sum(variances, axis=0)
        # Differences that are rounding are none, and neither is a spread that is
        nothing = ROUNDING * max(self._scale, abs(shift))
        distance[distance <= nothing] = 0.0
        spread[spread <= nothing**2] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(distance == 0.0, 0.0, distance / np.sqrt(spread))
        return float(np.mean(t >= t[0] * (1 - 1e-9)))

    def ends(self, alpha: float, scale: float) -> tuple[float, float] | None:
        """The shifts that are not rejected at `alpha`, from the least to the largest; None where so few runs reject
        none. `scale`: a standard error, say, where to begin the search.
        """
        return inverted(self.p, self.difference, alpha, scale) if self.smallest_p <= alpha else None


class _Sums:
    """Sums over the runs that each arrangement gives to the cell, from which any shift's t follows.

    Runs are taken as distances from their own cell's mean, which loses no digits; `moved` adds how far both are apart.
    """

    def __init__(self, stratum: Stratum, ways: NDArray[np.float64]) -> None:
        self.n = (len(stratum.cell), len(stratum.baseline))
        self.difference = float(stratum.cell.mean() - stratum.baseline.mean())
        own = np.concatenate([stratum.cell - stratum.cell.mean(), stratum.baseline - stratum.baseline.mean()])
        is_cell = np.arange(len(own)) < len(stratum.cell)
        columns = np.stack([own, own**2, own * is_cell, is_cell.astype(float)], axis=1)
        self.given, self.total = (ways @ columns).T, columns.sum(axis=0)

    def moved(self, shift: float) -> tuple[Array, Array]:
        """The difference of means, and its variance, of every arrangement, the cell's runs lowered by `shift`."""
        cell, baseline, off = self.given, self.total[:, None] - self.given, self.difference - shift
        (mean, variance), (other, others) = (_moved(*pair, off) for pair in zip((cell, baseline), self.n, strict=True))
        return mean - other, variance + others


def _moved(sums: Array, n: int, off: float) -> tuple[Array, Array]:
    """The mean of n runs and the variance of that mean, from their sums."""
    plain, squares, of_cell, count = sums
    total = plain + off * count
    squared = squares + 2 * off * of_cell + off**2 * count
    return total / n, np.maximum(0.0, squared - total**2 / n) / (n * (n - 1))


@lru_cache(maxsize=8)
def _ways(sizes: Sizes) -> tuple[NDArray[np.float64], ...]:
    """A stratum each: [arrangements, runs], 1 where a run goes to the cell; the first is the one seen."""
    if is_complete(sizes):
        each = [_all_ways(*pair) for pair in sizes]
        places = np.indices([len(ways) for ways in each]).reshape(len(each), -1)
        return tuple(ways[place] for ways, place in zip(each, places, strict=True))
    chances = np.random.default_rng(_SEED)
    return tuple(_drawn_ways(*pair, chances) for pair in sizes)


def _all_ways(cell: int, baseline: int) -> NDArray[np.float64]:
    chosen = np.array(list(combinations(range(cell + baseline), cell)))  # in their order: the cell's own come first
    ways = np.zeros((len(chosen), cell + baseline))
    np.put_along_axis(ways, chosen, 1.0, axis=1)
    return ways


def _drawn_ways(cell: int, baseline: int, chances: np.random.Generator) -> NDArray[np.float64]:
    ranks = chances.random((DRAWS, cell + baseline)).argsort(axis=1)
    ways = (ranks < cell).astype(np.float64)
    ways[0] = np.arange(cell + baseline) < cell
    return ways
