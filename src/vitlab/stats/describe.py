"""A cell's scores: their mean, their standard deviation over seeds, and where the mean of all seeds would lie."""

from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from vitlab.stats.intervals import (
    LEVEL,
    RESAMPLES,
    Interval,
    Resampling,
    bootstrap_interval,
    spread,
    t_interval,
)
from vitlab.stats.validation import count, largest, numbers, only, share


@dataclass(frozen=True)
class Description:
    """A cell in numbers. None has its reason in `reasons`, under the field's name.

    No value has no mean, one value no spread. Values that are all the same have the standard deviation 0 and no
    interval: n equal values do not show that the next one is equal too.
    """

    n: int
    mean: float | None
    std: float | None  # n - 1 in its denominator
    t_interval: Interval | None
    bootstrap_interval: Interval | None
    reasons: dict[str, str] = field(default_factory=dict)


def describe(
    values: ArrayLike,
    name: str = "values",
    *,
    level: float = LEVEL,
    bootstrap: Resampling = "BCa",
    resamples: int = RESAMPLES,
) -> Description:
    """Describe the scores of one cell; `name` is what messages call them, `resamples=0` leaves out the bootstrap."""
    given, level, resamples = numbers(name, values), share("level", level), count("resamples", resamples, 0)
    scale = largest(given)
    std, no_std = spread(given, scale)
    by_t, no_t = t_interval(given, scale, level)
    by_bootstrap, no_bootstrap = bootstrap_interval(given, scale, level, bootstrap, resamples)
    return Description(
        n=len(given),
        mean=float(given.mean()) if given.size else None,
        std=std,
        t_interval=by_t,
        bootstrap_interval=by_bootstrap,
        reasons=only(
            mean="" if given.size else "no value", std=no_std, t_interval=no_t, bootstrap_interval=no_bootstrap
        ),
    )
