"""A study's metric on paper: accuracies in percent, their differences in points, losses in nats; as many digits as the
interval deserves.
"""

import math
from dataclasses import dataclass
from statistics import median_low

from vitlab.report.run import SPLITS
from vitlab.stats.given import Better
from vitlab.stats.intervals import Interval

MINUS = "\N{MINUS SIGN}"
_MOST_DIGITS = 5


@dataclass(frozen=True)
class Unit:
    """How values and differences of one metric are written."""

    metric: str  # test_top1, val_loss, …
    better: Better
    title: str  # "test top-1"
    value_unit: str  # "%", or "nats"
    unit: str  # of a difference: "points", or "nats"
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

    def value(self, value: float, digits: int | None = None) -> str:
        """0.9612 -> '96.1'; without its unit"""
        return _number(self.scale * value, self.least_digits if digits is None else digits)

    def signed(self, difference: float, digits: int | None = None) -> str:
        """0.0123 -> '+1.2'; a difference that rounds to nothing has no sign."""
        text = self.value(difference, digits)
        return f"+{text}" if difference > 0 and float(text) else text

    def interval(self, found: Interval, digits: int | None = None, *, signed: bool = False) -> str:
        """'[38.2, 43.9]'"""
        write = self.signed if signed else self.value
        return f"[{write(found.low, digits)}, {write(found.high, digits)}]"

    @property
    def direction(self) -> str:
        """Which way is better, for an axis."""
        return f"{self.better} is better"


def unit_of(metric: str, better: Better) -> Unit:
    """How this metric is written."""
    split, _, name = metric.partition("_")
    if name == "loss":
        return Unit(metric, better, f"{SPLITS[split]} loss", "nats", "nats", 1.0, 3)
    return Unit(metric, better, f"{SPLITS[split]} {name.replace('top', 'top-')}", "%", "points", 100.0, 1)


def half(interval: Interval | None) -> float | None:
    """Half the width of an interval, if there is one."""
    return None if interval is None else (interval.high - interval.low) / 2


def negated(interval: Interval) -> Interval:
    """The interval of the value with the other sign."""
    return Interval(-interval.high, -interval.low, interval.level, interval.method)


def _number(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)
