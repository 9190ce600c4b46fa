"""A cell's difference to the baseline, seed by seed: cell - baseline, whichever way the metric is better.

Runs of one seed share their first weights, order and augmentation, so what that seed is worth cancels in the
difference: Var(cell - baseline) = s_c² + s_b² - 2·r·s_c·s_b. Pairing is worth what the correlation r is; it fades
after some hundred steps of training, so r is reported and need not be believed. At r = 0 the pairing costs only half
of the degrees of freedom.
"""

from dataclasses import dataclass, field

import numpy as np

from vitlab.stats.intervals import (
    LEVEL,
    RESAMPLES,
    Interval,
    Resampling,
    bootstrap_interval,
    spread,
    t_interval,
    t_test,
)
from vitlab.stats.sign_flip import SignFlip, sign_flip
from vitlab.stats.validation import ROUNDING, Array, Scores, by_seed, constant, count, largest, only, share


@dataclass(frozen=True)
class PairedDifference:
    """Cell minus baseline over the seeds that both have. None has its reason in `reasons`, under the field's name."""

    seeds: tuple[int, ...]  # that both have; all numbers below are over these
    only_baseline: tuple[int, ...]
    only_cell: tuple[int, ...]
    mean: float | None
    std: float | None  # of the differences
    t_interval: Interval | None
    bootstrap_interval: Interval | None
    t: float | None
    p: float | None  # two-sided, of the paired t test; 1 where all differences are 0
    sign_flip: SignFlip | None
    correlation: float | None  # of cell and baseline over seeds: what pairing relies on
    d_z: float | None  # mean / std: Cohen's effect size of paired differences, which the t test sees
    in_run_stds: float | None  # mean / the cells' own standard deviation over seeds, √((s_b² + s_c²)/2)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many seeds the numbers are over."""
        return len(self.seeds)


def paired(
    baseline: Scores,
    cell: Scores,
    name: str = "cell",
    *,
    level: float = LEVEL,
    bootstrap: Resampling = "BCa",
    resamples: int = RESAMPLES,
) -> PairedDifference:
    """Compare two cells seed by seed; `name` is what messages call the cell, `resamples=0` leaves out the bootstrap.

    A seed that only one of them has is left out and reported. Without a seed in common all numbers are None.
    """
    before, after = by_seed("baseline", baseline), by_seed(name, cell)
    level, resamples = share("level", level), count("resamples", resamples, 0)
    seeds = tuple(seed for seed in before if seed in after)
    a, b = np.array([before[s] for s in seeds]), np.array([after[s] for s in seeds])
    scale = largest(a, b)
    differences = np.where(abs(b - a) <= ROUNDING * scale, 0.0, b - a)
    std, no_std = spread(differences, scale)
    by_t, no_t_interval = t_interval(differences, scale, level)
    by_bootstrap, no_bootstrap = bootstrap_interval(differences, scale, level, bootstrap, resamples)
    t, p, no_t = t_test(differences, scale)
    correlation, no_correlation = _correlation(a, b)
    in_run_stds, no_run_stds = _in_run_stds(a, b)
    none = "" if seeds else "no seed in common"
    reasons = only(
        mean=none,
        std=no_std,
        t_interval=no_t_interval,
        bootstrap_interval=no_bootstrap,
        t=no_t,
        p=no_t,
        sign_flip=none,
        correlation=no_correlation,
        d_z=no_t,
        in_run_stds=no_run_stds,
    )
    return PairedDifference(
        seeds=seeds,
        only_baseline=tuple(seed for seed in before if seed not in after),
        only_cell=tuple(seed for seed in after if seed not in before),
        mean=float(differences.mean()) if seeds else None,
        std=std,
        t_interval=by_t,
        bootstrap_interval=by_bootstrap,
        t=t,
        p=p,
        sign_flip=sign_flip(differences, scale) if seeds else None,
        correlation=correlation,
        d_z=None if t is None else t / len(seeds) ** 0.5,
        in_run_stds=in_run_stds,
        reasons=reasons if seeds else dict.fromkeys(reasons, none),
    )


def _correlation(a: Array, b: Array) -> tuple[float | None, str]:
    if len(a) < 3:
        return None, "a correlation needs at least 3 seeds"
    for name, values in (("baseline", a), ("cell", b)):
        if constant(values, largest(values)):
            return None, f"the {name} is the same at every seed"
    return float(np.corrcoef(a, b)[0, 1]), ""


def _in_run_stds(a: Array, b: Array) -> tuple[float | None, str]:
    if len(a) < 2:
        return None, "1 value has no spread"
    if constant(a, largest(a)) and constant(b, largest(b)):
        return None, "neither cell varies over its seeds"
    return float((b - a).mean() / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)), ""
