"""Units, a metric on paper: accuracies in percent, their differences in points, losses in nats; as many digits as the
interval deserves.
"""

import math
from dataclasses import dataclass
from statistics import median_low

from vitlab.base.metric import Better, Metric
from vitlab.records.outcome import Outcome
from vitlab.report.run import SPLITS
from vitlab.stats.intervals import Interval

MINUS = "\N{MINUS SIGN}"
_MOST_DIGITS = 5


@dataclass(frozen=True)
class Unit:
    """How values and differences of one metric are written."""

    better: Better
    title: str  # "test top-1", "loss"
    value_unit: str  # "%", "nats", or "" for a number without a unit
    unit: str  # of a difference: "points", "nats", or ""
    scale: float  # from the records to the page
    least_digits: int

    def digits(self, *half_widths: float | None) -> int:
        """The decimals that intervals of these half widths, as recorded, deserve: rounding moves the ends of the
        middle one by a quarter of its half width at most.
        """
        known = [self.scale * width for width in half_widths if width]
        if not known:
            return self.least_digits
        wanted = -math.floor(math.log10(median_low(known) / 2))
        return min(max(wanted, self.least_digits), max(self.least_digits, _MOST_DIGITS))

    def digits_beside(self, interval: Interval | None) -> int:
        """As many as the interval deserves, and enough to see that 0 is outside of one that leaves it out."""
        digits = self.digits(half(interval))
        if interval is None or interval.low <= 0 <= interval.high:
            return digits
        nearest = self.scale * min(abs(interval.low), abs(interval.high))
        return max(digits, min(-math.floor(math.log10(nearest)), _MOST_DIGITS))

    def value(self, value: float, digits: int | None = None) -> str:
        """0.9612 -> '96.1'; without its unit"""
        return _number(self.scale * value, self.least_digits if digits is None else digits)

    def signed(self, difference: float, digits: int | None = None) -> str:
        """0.0123 -> '+1.2'; a difference that rounds to nothing has no sign."""
        text = self.value(difference, digits)
        return f"+{text}" if difference > 0 and _shows(text) else text

    def interval(self, interval: Interval, digits: int | None = None, *, signed: bool = False) -> str:
        """'[38.2, 43.9]'"""
        write = self.signed if signed else self.value
        return f"[{write(interval.low, digits)}, {write(interval.high, digits)}]"

    @property
    def direction(self) -> str:
        """Which way is better, for an axis."""
        return f"{self.better} is better"


def unit_of(metric: Metric, split: str | None = None) -> Unit:
    """How a metric is written, of a split by its name in records."""
    title = f"{SPLITS[split]} {metric.title}" if split else metric.title
    if metric.is_fraction:
        return Unit(metric.better, title, "%", "points", 100.0, 1)
    return Unit(metric.better, title, metric.unit, metric.unit, 1.0, 3)


def unit_of_study(outcome: Outcome) -> Unit:
    """How a study's metric is written."""
    return unit_of(outcome.metrics[outcome.metric], outcome.metric.partition("_")[0])


def title_of(metric: Metric) -> str:
    """'Loss, nats', 'Top-1, %': what stands over a column or a picture."""
    unit = unit_of(metric)
    title = metric.title[:1].upper() + metric.title[1:]
    return f"{title}, {unit.value_unit}" if unit.value_unit else title


def half(interval: Interval | None) -> float | None:
    """Half the width of an interval, if there is one."""
    return None if interval is None else (interval.high - interval.low) / 2


def negated(interval: Interval) -> Interval:
    """The interval of the value with the other sign."""
    return Interval(-interval.high, -interval.low, interval.level, interval.method)


def _number(value: float, digits: int) -> str:
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and _shows(text) else text


def _shows(text: str) -> bool:
    """Whether a number is not written as zero."""
    return bool(text.strip("+0.,"))
