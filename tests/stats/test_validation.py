import numpy as np
import pytest

from vitlab.base.errors import UserError
from vitlab.stats.validation import by_seed, constant, count, direction, largest, numbers, share


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([0.5, float("nan")], "value 1 is nan"),
        ([float("inf")], "value 0 is inf"),
        ([[0.5, 0.6]], r"shape \(1, 2\)"),
        ([[0.5], [0.6, 0.7]], "different lengths"),
        (0.5, r"shape \(\)"),
        ([0.5, None], "got None"),
        (["0.5"], "got '0.5'"),
        ([1 + 2j], "got "),
    ],
)
def test_what_is_no_row_of_finite_numbers_is_refused_by_name(values, says):
    with pytest.raises(UserError, match=f"^depth=6: .*{says}"):
        numbers("depth=6", values)


def test_numbers_of_every_kind_become_floats():
    for values in ([1, 2], (1.0, 2.0), np.array([1, 2], np.float32), np.array([1, 2], np.uint8)):
        row = numbers("x", values)
        assert row.dtype == np.float64
        assert row.tolist() == [1.0, 2.0]
    assert numbers("x", [True, False]).tolist() == [1.0, 0.0]
    assert numbers("x", []).size == 0


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        ([0.5, 0.6], "a mapping seed -> score, got list"),
        ({"0": 0.5}, "seed '0' is not an integer"),
        ({True: 0.5}, "seed True is not an integer"),
        ({0.0: 0.5}, "seed 0.0 is not an integer"),
        ({0: 0.5, 3: float("nan")}, "the score of seed 3 is nan"),
        ({4: None}, "the score of seed 4 is None"),
        ({4: "0.5"}, "the score of seed 4 is '0.5'"),
    ],
)
def test_scores_without_seeds_and_seeds_without_scores_are_refused(scores, says):
    with pytest.raises(UserError, match=f"^mlp=relu: .*{says}"):
        by_seed("mlp=relu", scores)


def test_scores_come_in_the_order_of_their_seeds():
    assert list(by_seed("x", {np.int64(7): np.float32(0.5), 2: 1}).items()) == [(2, 1.0), (7, 0.5)]


def test_settings_that_cannot_be_are_refused_by_name():
    for value in (0, 1, -0.1, 95, float("nan")):
        with pytest.raises(UserError, match=f"level={value}"):
            share("level", value)
    for value in (1, 2.0, True):
        with pytest.raises(UserError, match=f"images={value!r}"):
            count("images", value, 2)
    with pytest.raises(UserError, match="higher"):
        direction("high")
    assert (direction("higher"), direction("lower")) == (1, -1)


def test_rounding_is_no_spread():
    differences = np.array([0.9 - 0.8, 0.8 - 0.7, 0.4 - 0.3])
    assert np.ptp(differences) > 0
    assert constant(differences, 0.9)
    assert not constant(np.array([0.1, 0.1 + 1e-9]), 0.9)
    assert largest(np.array([0.5, -2.0]), np.array([])) == 2.0
    assert largest(np.array([])) == 0.0
