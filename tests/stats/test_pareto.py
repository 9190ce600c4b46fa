import numpy as np
import pytest

from vitlab.base.errors import UserError
from vitlab.stats.pareto import pareto_front


def beaten(point, others):
    """The definition: some other is as good on both (less is better here) and better on one."""
    return any(o[0] <= point[0] and o[1] <= point[1] and o != point for o in others)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_the_definition_on_points_with_many_ties(better):
    generator = np.random.default_rng(3)
    for _ in range(50):
        drawn = generator.integers(0, 5, size=(12, 2)).tolist()
        points = {str(i): tuple(point) for i, point in enumerate(drawn)}
        turned = {k: (-score if better == "higher" else score, cost) for k, (score, cost) in points.items()}
        expected = {name for name, point in turned.items() if not beaten(point, turned.values())}
        front = pareto_front(points, better=better)
        assert set(front) == expected
        assert len(front) == len(expected)
        assert [points[name][1] for name in front] == sorted(points[name][1] for name in front)


def test_points_that_are_equal_stand_together():
    points = {"a": (0.9, 2.0), "b": (0.9, 2.0), "same score, dearer": (0.9, 3.0), "same cost, worse": (0.8, 2.0)}
    assert pareto_front(points, better="higher") == ("a", "b")
    assert pareto_front({}, better="higher") == ()


def test_nonsense_is_refused():
    with pytest.raises(UserError, match=r"^tiny: value 1 is inf"):
        pareto_front({"tiny": (0.9, float("inf"))}, better="higher")
    with pytest.raises(UserError, match=r"^tiny: expected \(score, cost\), got 3"):
        pareto_front({"tiny": (0.9, 1.0, 2.0)}, better="higher")
