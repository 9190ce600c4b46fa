"""The cells worth their cost: those that no other cell beats on score and cost together."""

from collections.abc import Mapping

from vitlab.base.errors import UserError
from vitlab.base.metric import Better
from vitlab.stats.validation import direction, numbers


def pareto_front(points: Mapping[str, tuple[float, float]], *, better: Better) -> tuple[str, ...]:
    """The names of the (score, cost) points on the front, the cheapest first; less cost is always better.

    A point is beaten by one that is as good on both and better on one. So points that are equal on both do not beat
    each other: all of them stand on the front, or none.
    """
    sign = direction(better)
    values = {name: _point(name, point, sign) for name, point in points.items()}
    # From the cheapest on, the best first at each cost: a point is beaten if and only if one before it is as good
    front: list[str] = []
    for name in sorted(values, key=lambda name: (values[name][1], -values[name][0])):
        if not front or values[name] == values[front[-1]] or values[name][0] > values[front[-1]][0]:
            front.append(name)
    return tuple(front)


def _point(name: str, point: tuple[float, float], sign: int) -> tuple[float, float]:
    """The score, turned so that higher is better, and the cost."""
    given = numbers(name, point)
    if len(given) != 2:
        raise UserError(f"{name}: expected (score, cost), got {len(given)} numbers")
    return sign * float(given[0]), float(given[1])
