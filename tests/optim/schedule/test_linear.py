import pytest

from vitlab.optim.schedule import linear


def test_closed_formula(rates):
    assert rates(linear.Spec()) == pytest.approx([0.4 * (1 - step / 40) for step in range(40)])


def test_to_the_minimum(rates):
    found = rates(linear.Spec(min_lr=0.2))
    assert found == pytest.approx([0.4 - 0.2 * step / 40 for step in range(40)])
