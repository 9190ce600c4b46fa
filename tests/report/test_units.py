import pytest

from tests.report.outcomes import t
from vitlab.models.spec import ViTSpec
from vitlab.report.units import half, negated, title_of, unit_of
from vitlab.tasks import classify

LOSS, TOP1, TOP5 = classify.Spec().metrics(ViTSpec())
POINTS, NATS = unit_of(TOP1, "test"), unit_of(LOSS, "val")


def test_a_metric_s_words():
    assert (POINTS.title, POINTS.value_unit, POINTS.unit) == ("test top-1", "%", "points")
    assert (NATS.title, NATS.value_unit, NATS.unit) == ("validation loss", "nats", "nats")
    assert (POINTS.direction, NATS.direction) == ("higher is better", "lower is better")
    assert unit_of(TOP5, "val").title == "validation top-5"
    assert unit_of(TOP5).title == "top-5"
    assert [title_of(metric) for metric in (TOP1, LOSS, classify.AUXILIARY_LOSS)] == [
        *("Top-1, %", "Loss, nats", "Auxiliary loss"),
    ]


@pytest.mark.parametrize(
    ("half_widths", "digits"),
    [([], 1), ([None], 1), ([0.2], 1), ([0.0021], 1), ([0.0019], 2), ([0.00019], 3), ([1e-9], 5)],
)
def test_digits_grow_as_intervals_shrink(half_widths, digits):
    assert POINTS.digits(*half_widths) == digits


def test_rounding_moves_an_end_by_a_quarter_of_the_half_width_at_most():
    for width in (0.0011, 0.0021, 0.0049, 0.013, 0.077):
        assert 0.5 * 10.0 ** -POINTS.digits(width) <= 0.25 * 100 * width


def test_a_column_follows_the_middle_of_its_intervals():
    assert POINTS.digits(0.1, 0.0001, 0.02) == 1


def test_numbers_have_a_true_minus_and_no_negative_zero():
    assert POINTS.value(0.9612) == "96.1"
    assert POINTS.signed(-0.41) == "−41.0"
    assert POINTS.signed(0.012) == "+1.2"
    assert POINTS.signed(-0.0001) == "0.0"
    assert POINTS.signed(0.0001) == "0.0"
    assert POINTS.signed(-0.0001, 2) == "−0.01"
    assert NATS.signed(1234.5) == "+1,234.500"


def test_intervals():
    assert POINTS.interval(t(-0.02, 0.0)) == "[−2.0, 0.0]"
    assert POINTS.interval(t(-0.02, 0.03), signed=True) == "[−2.0, +3.0]"
    assert negated(t(-0.02, 0.03)) == t(-0.03, 0.02)
    assert half(t(-0.25, 0.5)) == 0.375
    assert half(None) is None
