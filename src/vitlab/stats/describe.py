"""A cell's scores: their mean with both of its errors, and what a mean does not show: the median and the worst seed."""

from dataclasses import dataclass, field, fields

import numpy as np

from vitlab.stats.crossed import NO_PICTURES, ScoreTable, contrast
from vitlab.stats.intervals import LEVEL, Interval
from vitlab.stats.validation import only, share


@dataclass(frozen=True)
class Description:
    """A cell in numbers. None has its reason in `reasons`, under the field's name.

    No value has no mean, one value no spread. Values that are all the same have the standard deviation 0 and no
    interval over seeds: n equal values do not show that the next one is equal too.
    """

    n: int
    mean: float | None = None
    std: float | None = None  # over seeds, n - 1 in its denominator
    median: float | None = None
    lowest: float | None = None
    highest: float | None = None
    seed_error: float | None = None  # standard errors of the mean: over seeds, on these very pictures;
    picture_error: float | None = None  # over pictures, if the cell had runs without end
    interval: Interval | None = None  # over seeds and pictures
    seed_interval: Interval | None = None  # over seeds alone
    reasons: dict[str, str] = field(default_factory=dict)


def describe(table: ScoreTable, *, level: float = LEVEL) -> Description:
    """Describe the scores of one cell."""
    share("level", level)
    if table.n == 0:
        nothing = [each.name for each in fields(Description) if each.name not in ("n", "reasons")]
        return Description(0, reasons=dict.fromkeys(nothing, "no value"))
    estimate, variance = contrast([table], [1.0]), table.run_variance
    no_spread = "1 value has no spread" if variance is None else ""
    no_interval = no_spread or (f"all {table.n} values are the same" if variance == 0 else "")
    interval = estimate.interval(level)
    return Description(
        n=table.n,
        mean=table.mean,
        std=None if variance is None else variance**0.5,
        median=float(np.median(table.runs)),
        lowest=float(table.runs.min()),
        highest=float(table.runs.max()),
        seed_error=estimate.seed_error,
        picture_error=estimate.picture_error,
        interval=interval,
        seed_interval=estimate.interval_over_seeds(level),
        reasons=only(
            std=no_spread,
            seed_error=no_spread,
            picture_error=no_spread or ("" if estimate.pictures else NO_PICTURES),
            interval="" if interval else no_interval,
            seed_interval=no_interval,
        ),
    )
