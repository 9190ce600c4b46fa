"""Sums of what samples scored, by name."""

from collections.abc import Mapping

from torch import Tensor


def added(totals: Mapping[str, Tensor], more: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`totals` with the values of `more` added to those of the same names; nothing is changed in place."""
    return {**totals, **{name: totals[name] + value if name in totals else value for name, value in more.items()}}
