"""Units, a metric on paper: accuracies in percent, their differences in points, losses in nats.

A value is written with the digits that its own interval deserves (`Unit.digits`), and one without an interval with the
metric's least: so it is the same number in a sentence, in a table, in a picture and where a mark of it is pointed at.
"""

import math
from dataclasses import dataclass

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

    def digits(self, interval: Interval | None) -> int:
        """The decimals of a value with this interval: rounding moves its ends by a quarter of half its width at most,
        and one sees that 0 is outside of it.
        """
        if interval is None:
            return self.least_digits
        half = self.scale * (interval.high - interval.low) / 2
        wanted = -math.floor(math.log10(half / 2)) if half else 0
        return min(max(wanted, self._off_zero(interval), self.least_digits), max(self.least_digits, _MOST_DIGITS))

    def _off_zero(self, interval: Interval) -> int:
        """The decimals that show that 0 is outside of an interval; none where it is inside."""
        if interval.low <= 0 <= interval.high:
            return 0
        return -math.floor(math.log10(self.scale * min(abs(interval.low), abs(interval.high))))

    def value(self, value: float, digits: int | None = None) -> str:
        """0.9612 -> '96.1'; without its unit"""
        return _number(self.scale * value, self.least_digits if digits is None else digits)

    def signed(self, difference: float, digits: int | None = None) -> str:
        """0.0123 -> '+1.2'; a difference that rounds to nothing has no sign."""
        text = self.value(difference, digits)
        return f"+{text}" if difference > 0 and _shows(text) else text

    def drawn(self, value: float) -> str:
        """A value without an interval that is in the unit of an axis already."""
        return _number(value, self.least_digits)

    def chosen(self, value: float) -> str:
        """A value that somebody chose, with the digits of that: 0.0025 -> '0.25'"""
        _, _, decimals = f"{self.scale * value:.4g}".partition(".")
        return self.value(value, max(self.least_digits, len(decimals)))

    def interval(self, interval: Interval, digits: int, *, signed: bool = False) -> str:
        """'[38.2, 43.9]': an interval with the digits of a value, or more if these do not show that 0 is outside."""
        write = self.signed if signed else self.value
        digits = max(digits, min(self._off_zero(interval), _MOST_DIGITS))
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


def negated(interval: Interval) -> Interval:
    """The interval of the value with the other sign."""
    return Interval(-interval.high, -interval.low, interval.level, interval.method)


def _number(value: float, digits: int) -> str:
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and _shows(text) else text


def _shows(text: str) -> bool:
    """Whether a number is not written as zero."""
    return bool(text.strip("+0.,"))
