"""Intervals: where a mean or a share lies.

    Wilson      the shares that would make the one seen, of so many pictures, no surprise (Wilson 1927)

Those of means and contrasts are in `vitlab.stats.crossed`.
"""

from dataclasses import dataclass

from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """Where something lies, by a method that covers it in `level` of all studies if its assumptions hold."""

    low: float
    high: float
    level: float
    method: str


def wilson(accuracy: float, images: int, level: float) -> Interval:
    """Of an accuracy on so many images, of one run: it has a width even where every image or none is right."""
    z2 = float(stats.norm.ppf((1 + level) / 2)) ** 2
    centre = (accuracy + z2 / (2 * images)) / (1 + z2 / images)
    half = (z2 * (accuracy * (1 - accuracy) / images + z2 / (4 * images**2))) ** 0.5 / (1 + z2 / images)
    return Interval(max(0.0, centre - half), min(1.0, centre + half), level, "Wilson")
