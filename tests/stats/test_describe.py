"""A cell in numbers."""

import numpy as np
import pytest

from vitlab.base.errors import UserError
from vitlab.stats.crossed import ScoreTable, contrast
from vitlab.stats.describe import describe

SPREAD = {"std", "seed_error", "picture_error", "interval", "seed_interval"}


def test_a_cell_in_numbers(whole, draw):
    scores = 0.9 + 0.01 * draw(6, 50)
    table = ScoreTable(scores.mean(axis=1), scores)
    result = whole(describe(table))
    estimate = contrast([table], [1.0])
    assert result.n == 6
    assert (result.mean, result.std) == pytest.approx((np.mean(table.runs), np.std(table.runs, ddof=1)), rel=1e-12)
    assert (result.median, result.lowest, result.highest) == (
        np.median(table.runs),
        min(table.runs),
        max(table.runs),
    )
    assert (result.interval, result.seed_interval) == (estimate.interval(), estimate.interval_over_seeds())
    assert (result.seed_error, result.picture_error) == (estimate.seed_error, estimate.picture_error)
    assert result.reasons == {}


def test_without_pictures_the_interval_is_over_seeds(whole, draw):
    result = whole(describe(ScoreTable(draw(6)), level=0.5))
    assert result.interval == result.seed_interval
    assert result.interval.level == 0.5
    assert set(result.reasons) == {"picture_error"}


@pytest.mark.parametrize(
    ("scores", "missing"),
    [
        ([], SPREAD | {"mean", "median", "lowest", "highest"}),
        ([0.9], SPREAD),
        ([0.9, 0.9], {"picture_error", "interval", "seed_interval"}),
        ([0.1 + 0.2, 0.3, 0.3], {"picture_error", "interval", "seed_interval"}),
    ],
)
def test_what_cannot_be_said_is_none_with_its_reason(whole, scores, missing):
    assert set(whole(describe(ScoreTable(scores))).reasons) == missing


def test_equal_values_have_the_standard_deviation_zero(whole):
    assert whole(describe(ScoreTable([0.1 + 0.2, 0.3, 0.3]))).std == 0.0


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="test_top1 of norm=rms"):
        describe(ScoreTable([0.9, float("nan")], name="test_top1 of norm=rms"))
    with pytest.raises(UserError, match="level=95"):
        describe(ScoreTable([0.9, 0.8]), level=95)
