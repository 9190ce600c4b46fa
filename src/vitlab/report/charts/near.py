"""What an axis spans: never one value alone, and a larger look at a part where what lies apart squeezes the rest."""

from collections.abc import Sequence
from statistics import median

_SQUEEZED = 2.0  # how many times as far as all others what is apart reaches
_USUAL = 5.0  # medians of how far things reach; what reaches farther is apart
_MARGIN = 0.06  # of the part
_FEWEST = 3  # things that are squeezed
_SAME = 1e-12  # what differs by less differs by rounding alone

Domain = tuple[float, float] | None  # a part of the axis, or all of it


def spanned(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis; where they are the same, one unit to either side, so that rounding errors fill none."""
    return (low, high) if high - low > _SAME else (low - 1, high + 1)


def nearer(extents: Sequence[tuple[float, float]], origin: float) -> Domain:
    """The part in which all things lie, from and to where each reaches, but those that squeeze the others; None where
    none does. `origin` is where reaching begins.
    """
    if len(extents) < 2:
        return None
    reach = [max(abs(end - origin) for end in extent) for extent in extents]
    usual = [extent for extent, far in zip(extents, reach, strict=True) if far <= _USUAL * median(reach)]
    ends = [origin, *(end for extent in usual for end in extent)]
    squeezed = max(reach) >= _SQUEEZED * max(abs(end - origin) for end in ends)
    if len(usual) < _FEWEST or not squeezed or min(ends) == max(ends):
        return None
    margin = _MARGIN * (max(ends) - min(ends))
    return min(ends) - margin, max(ends) + margin
