"""Intervals of a mean from few values: Student's t and the bootstrap; and the t statistic itself.

For n values with mean m and standard deviation s (n - 1 in its denominator):

    t interval    m ± t(n-1, (1+level)/2) · s/√n
    t             m / (s/√n),  p two-sided from t with n - 1 degrees of freedom

The t interval is exact for normal values. The bootstrap draws from the values themselves, so with few of them it is
too narrow: of its 95 % intervals, some 86 % cover with 6 normal values and 72 % with 3 (`test_simulated.py`). It is
there to be looked at where the t interval's normal values are in doubt, and decides nothing.
"""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from vitlab.stats.validation import Array, constant

BOOTSTRAP_SEED = 0
RESAMPLES = 9_999
LEVEL = 0.95

Resampling = Literal["BCa", "percentile"]  # BCa: bias-corrected and accelerated (Efron 1987)


@dataclass(frozen=True)
class Interval:
    """Where the mean lies, by a method that covers it in `level` of all studies if its assumptions hold."""

    low: float
    high: float
    level: float
    method: str  # "t", "BCa", "percentile" or "Wilson"


def t_interval(values: Array, scale: float, level: float) -> tuple[Interval | None, str]:
    """The t interval of the mean; or None and why there is none."""
    why_not = _no_spread(values, scale)
    if why_not:
        return None, why_not
    n = len(values)
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    mean = float(values.mean())
    return Interval(mean - half, mean + half, level, "t"), ""


def bootstrap_interval(
    values: Array, scale: float, level: float, method: Resampling = "BCa", resamples: int = RESAMPLES
) -> tuple[Interval | None, str]:
    """The bootstrap interval of the mean, the same at every call; or None and why there is none."""
    if resamples == 0:
        return None, "not asked for"
    why_not = _no_spread(values, scale)
    if why_not or len(values) < 3:
        return None, why_not or "2 values are too few for a bootstrap"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # it is NaN then
        low, high = stats.bootstrap(
            (values,),
            np.mean,
            confidence_level=level,
            n_resamples=resamples,
            method=method,
            vectorized=True,
            random_state=np.random.default_rng(BOOTSTRAP_SEED),
        ).confidence_interval
    if not np.isfinite([low, high]).all():
        return None, f"the {method} bootstrap is not defined for these values"
    return Interval(float(low), float(high), level, method), ""


def t_test(values: Array, scale: float) -> tuple[float | None, float | None, str]:
    """The t statistic of "the mean is 0" and its two-sided p; or None, None and why.

    Values that are all 0 show no effect whatever: t = 0 and p = 1. Values that are all the same and not 0 have no
    spread that the mean could be compared with, and an infinite t from two values would be no evidence.
    """
    if len(values) >= 2 and constant(values, scale) and not values.any():
        return 0.0, 1.0, ""
    why_not = _no_spread(values, scale)
    if why_not:
        return None, None, why_not
    n = len(values)
    t = float(values.mean() / (values.std(ddof=1) / np.sqrt(n)))
    return t, float(2 * stats.t.sf(abs(t), n - 1)), ""


def spread(values: Array, scale: float) -> tuple[float | None, str]:
    """The standard deviation, exactly 0 for values that differ by rounding only; or None and why."""
    if len(values) < 2:
        return None, _no_spread(values, scale)
    return (0.0 if constant(values, scale) else float(values.std(ddof=1))), ""


def _no_spread(values: Array, scale: float) -> str:
    """Why a spread cannot be told from these values; nothing if it can."""
    if len(values) < 2:
        return "1 value has no spread" if len(values) else "no value"
    return f"all {len(values)} values are the same" if constant(values, scale) else ""
