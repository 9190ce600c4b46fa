import pytest

from tests.report.outcomes import t
from vitlab.models.spec import ViTSpec
from vitlab.report.units import negated, title_of, unit_of
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
    ("low", "high", "digits"),
    [
        *[(-0.2, 0.2, 1), (-0.0021, 0.0021, 1), (-0.0019, 0.0019, 2), (-0.00019, 0.00019, 3), (-1e-9, 1e-9, 5)],
        *[(0.0004, 0.0246, 2), (-0.0246, -0.0004, 2), (0.001, 0.0246, 1), (1e-12, 0.0246, 5), (0.5, 0.5, 1)],
    ],
)
def test_a_value_has_the_digits_that_its_interval_deserves(low, high, digits):
    assert POINTS.digits(t(low, high)) == digits


def test_a_value_without_an_interval_has_the_metric_s_least_digits():
    assert (POINTS.digits(None), NATS.digits(None)) == (1, 3)
    assert (POINTS.drawn(95.3456), NATS.drawn(0.08381)) == ("95.3", "0.084")


def test_rounding_moves_an_end_by_a_quarter_of_the_half_width_at_most():
    for width in (0.0011, 0.0021, 0.0049, 0.013, 0.077):
        assert 0.5 * 10.0 ** -POINTS.digits(t(-width, width)) <= 0.25 * 100 * width


def test_what_somebody_chose_is_written_as_it_was_chosen():
    assert [POINTS.chosen(value) for value in (0.005, 0.0025, 0.01, 1 / 300)] == ["0.5", "0.25", "1.0", "0.3333"]


def test_numbers_have_a_true_minus_and_no_negative_zero():
    assert POINTS.value(0.9612) == "96.1"
    assert POINTS.signed(-0.41) == "−41.0"
    assert POINTS.signed(0.012) == "+1.2"
    assert POINTS.signed(-0.0001) == "0.0"
    assert POINTS.signed(0.0001) == "0.0"
    assert POINTS.signed(-0.0001, 2) == "−0.01"
    assert NATS.signed(1234.5) == "+1,234.500"


def test_intervals():
    assert POINTS.interval(t(-0.02, 0.0), 1) == "[−2.0, 0.0]"
    assert POINTS.interval(t(-0.02, 0.03), 1, signed=True) == "[−2.0, +3.0]"
    assert POINTS.interval(t(0.0004, 0.03), 1) == "[0.04, 3.00]"  # one sees that 0 is outside
    assert negated(t(-0.02, 0.03)) == t(-0.03, 0.02)
