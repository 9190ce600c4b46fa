"""Corrections for several comparisons at once: Holm's (Holm 1979).

Of m true nulls tested at 5 % each, the chance that one at least looks like an effect is 1 - .95^m: 30 % for m = 7.
Holm sorts p₁ ≤ … ≤ p_m and multiplies the i-th by m - i + 1, never below the one before: an effect is called where the
result is at most α, and the chance of one wrong call or more is at most α, however the comparisons depend on each other
(they share their baseline).
"""

from collections.abc import Sequence

import numpy as np

from vitlab.base.errors import UserError
from vitlab.stats.validation import numbers


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm-adjusted p-values, in the order given.

    None is a comparison that was planned and could not be tested. It stays None, and counts as one of the m: dropping
    it would make the others easier because a run has failed.
    """
    tested = numbers("p_values", [p for p in p_values if p is not None])
    if ((tested < 0) | (tested > 1)).any():
        raise UserError(f"p_values: {tested[(tested < 0) | (tested > 1)][0]} is not between 0 and 1")
    factors = len(p_values) - np.arange(len(tested))
    order = np.argsort(tested, kind="stable")
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(tested[order] * factors))
    results = iter(adjusted.tolist())
    return tuple(None if p is None else next(results) for p in p_values)
