"""The tests that decide, and those that they were chosen over: which cells differ from the baseline.

Beside vitlab's own (`vitlab.stats.decision`) stand the paired t of the first vitlab, Welch's t, both with Holm's
correction, and Dunnett's T3 (1980).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import special

from vitlab.bench.simulations.row import Scores
from vitlab.stats.corrections import holm
from vitlab.stats.crossed import Estimate, ScoreTable, contrast, two_sided_t
from vitlab.stats.decision import ALPHA, Claim, RunTest, decide
from vitlab.stats.permutation import PermutationTest, Stratum


def decision(baseline: ScoreTable, cells: Scores) -> list[bool]:
    """What vitlab decides."""
    claims = {str(place): compared(cell, baseline) for place, cell in enumerate(cells)}
    return list(decided(claims).values())


def paired_t(baseline: ScoreTable, cells: Scores) -> list[bool]:
    """Seed by seed."""
    return by_holm([mean_p(cell.runs - baseline.runs[: cell.n]) for cell in cells])


def welch(baseline: ScoreTable, cells: Scores) -> list[bool]:
    """Over runs alone."""
    return by_holm([two_sided_t(*_welch_t(cell, baseline)) for cell in cells])


def dunnett_t3(baseline: ScoreTable, cells: Scores) -> list[bool]:
    """By the studentised maximum modulus of as many independent comparisons, with Welch's degrees of freedom."""
    rejected = []
    for cell in cells:
        t, freedom = _welch_t(cell, baseline)
        spreads = np.sqrt(2 * special.gammaincinv(freedom / 2, _MIDDLES) / freedom)
        below = np.mean((2 * special.ndtr(t * spreads) - 1) ** len(cells))
        rejected.append(bool(1 - below <= ALPHA))
    return rejected


METHODS: Mapping[str, Callable[[ScoreTable, Scores], list[bool]]] = {
    "decision": decision,
    "paired t": paired_t,
    "Welch": welch,
    "Dunnett T3": dunnett_t3,
}

_MIDDLES = (np.arange(200) + 0.5) / 200


def compared(cell: ScoreTable, baseline: ScoreTable) -> Claim:
    """The claim that a cell differs from the baseline."""
    return claim(contrast([cell, baseline], [1.0, -1.0]), [Stratum(cell.runs, baseline.runs)])


def claim(estimate: Estimate, strata: Sequence[Stratum]) -> Claim:
    """As a study makes it, but for two shortcuts: no interval is computed, and the test over runs is left out where the
    other has decided against a verdict already.
    """
    near = estimate.error is not None and (estimate.p() or 0.0) <= ALPHA
    return Claim(estimate, VerdictOnly(PermutationTest(strata)) if near and strata else None)


def decided(claims: Mapping[str, Claim]) -> dict[str, bool]:
    """Which claims get a "worse" or a "better"."""
    return {name: each.verdict in ("worse", "better") for name, each in decide(claims, better="higher").items()}


class VerdictOnly:
    """A test over runs without its inversion."""

    def __init__(self, test: RunTest):
        self.test, self.smallest_p = test, test.smallest_p

    def p(self, shift: float = 0.0) -> float:
        """As the test says."""
        return self.test.p(shift)

    def ends(self, alpha: float, scale: float) -> None:
        """None are needed."""


def mean_p(values: np.ndarray) -> float:
    """Of "the mean is 0", by Student's t; 1 where it cannot be told."""
    p = contrast([ScoreTable(values)], [1.0]).p()
    return 1.0 if p is None else p


def by_holm(p_values: Sequence[float]) -> list[bool]:
    """What Holm's procedure rejects."""
    return [p is not None and p <= ALPHA for p in holm(p_values)]


def _welch_t(cell: ScoreTable, baseline: ScoreTable) -> tuple[float, float]:
    """t and its degrees of freedom."""
    difference = contrast([ScoreTable(cell.runs), ScoreTable(baseline.runs)], [1.0, -1.0])
    if not difference.error:
        return (0.0 if not difference.value else np.inf), 1.0
    (part,) = difference.parts
    return abs(difference.value or 0.0) / difference.error, part.df
