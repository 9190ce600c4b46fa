"""Validation of what callers hand over; and which of its spread is only rounding."""

import math
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vitlab.base.errors import UserError, unknown
from vitlab.base.metric import Better

Array = NDArray[np.float64]
Scores = Mapping[int, float]  # of one cell: seed -> score

# A mean over images is exact to some 1e-16 of its size, and differences of scores inherit that: .9 - .8 and .8 - .7 are
# not the same number. Spread below this share of the scores is rounding, and testing against it would "find" anything.
ROUNDING = 1e-12


def numbers(name: str, values: ArrayLike) -> Array:
    """Finite numbers in a row. Raises UserError if they are anything else."""
    try:
        given = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise UserError(f"{name}: expected numbers in a row, got rows of different lengths") from None
    if given.ndim != 1:
        raise UserError(f"{name}: expected numbers in a row, got an array of shape {given.shape}")
    if given.size and given.dtype.kind not in "biuf":
        raise UserError(f"{name}: expected numbers, got {_first_odd(given)!r}")
    row = given.astype(np.float64)
    if not np.isfinite(row).all():
        at = int(np.flatnonzero(~np.isfinite(row))[0])
        raise UserError(f"{name}: value {at} is {row[at]}; leave out what is missing")
    return row


def by_seed(name: str, scores: Scores) -> dict[int, float]:
    """Scores by seed, in the order of the seeds. Raises UserError if a seed is no integer or a score not finite."""
    if not isinstance(scores, Mapping):
        raise UserError(f"{name}: expected a mapping seed -> score, got {type(scores).__name__}")
    for seed, score in scores.items():
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise UserError(f"{name}: seed {seed!r} is not an integer")
        if not isinstance(score, (int, float, np.integer, np.floating)) or not math.isfinite(score):
            raise UserError(f"{name}: the score of seed {seed} is {score!r}; leave out the seeds that have none")
    return {int(seed): float(scores[seed]) for seed in sorted(scores)}


def share(name: str, value: float) -> float:
    """A number strictly between 0 and 1: a confidence level, an error rate, a power."""
    if not 0 < value < 1:
        raise UserError(f"{name}={value}: must lie between 0 and 1, both excluded")
    return float(value)


def count(name: str, value: int, least: int) -> int:
    """A whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise UserError(f"{name}={value!r}: must be a whole number, {least} or more")
    return int(value)


def direction(better: Better) -> int:
    """+1 where higher is better, -1 where lower is."""
    if better not in get_args(Better):
        raise UserError(unknown("direction", str(better), get_args(Better)))
    return 1 if better == "higher" else -1


def constant(values: Array, scale: float) -> bool:
    """Whether the values are all the same, but for rounding of numbers as large as `scale`."""
    return bool(np.ptp(values) <= ROUNDING * scale)


def largest(*values: Array) -> float:
    """The largest magnitude among some arrays; 0 if they are empty."""
    return max((float(np.abs(array).max()) for array in values if array.size), default=0.0)


def only(**why_not: str) -> dict[str, str]:
    """The `reasons` of a result: the fields that have a reason to be None."""
    return {field: reason for field, reason in why_not.items() if reason}


def _first_odd(given: NDArray[Any]) -> Any:
    odd = [value for value in given.tolist() if isinstance(value, bool) or not isinstance(value, (int, float))]
    return odd[0] if odd else given.tolist()[0]
