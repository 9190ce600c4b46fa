"""The interval that a test leaves: the shifts which it does not reject."""

from collections.abc import Callable

_DOUBLINGS = 40
_EXACT = 1e-4  # of a standard error


def inverted(p: Callable[[float], float], centre: float, alpha: float, scale: float) -> tuple[float, float]:
    """The ends of {shift: p(shift) > alpha}, from the `centre`, whose p is 1; `scale` is about a standard error.

    p may be a staircase that is not quite monotone. So each end is looked for between two shifts that are known, one
    rejected and one not; and 0 is one of them where it lies on that side: then the interval leaves out 0 exactly where
    the test rejects 0.
    """
    return _end(p, centre, alpha, -scale), _end(p, centre, alpha, scale)


def _end(p: Callable[[float], float], centre: float, alpha: float, step: float) -> float:
    """The last shift that is kept, going by steps and then halving."""
    kept, rejected = centre, None
    if centre * step < 0:  # 0 lies on this side
        kept, rejected = (kept, 0.0) if p(0.0) <= alpha else (0.0, None)
    for _ in range(_DOUBLINGS):
        if rejected is not None:
            break
        further = kept + step
        kept, rejected = (kept, further) if p(further) <= alpha else (further, None)
        step *= 2
    if rejected is None:
        return float("inf") if step > 0 else float("-inf")
    while abs(rejected - kept) > _EXACT * abs(step):
        middle = (rejected + kept) / 2
        kept, rejected = (kept, middle) if p(middle) <= alpha else (middle, rejected)
    return kept
