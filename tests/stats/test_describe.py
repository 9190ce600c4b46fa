import numpy as np
import pytest

from vitlab.base.errors import UserError
from vitlab.stats.describe import describe
from vitlab.stats.intervals import bootstrap_interval, t_interval


def test_a_cell_in_numbers(whole, draw):
    scores = 0.9 + 0.01 * draw(6)
    result = whole(describe(scores, resamples=999))
    assert result.n == 6
    assert (result.mean, result.std) == (np.mean(scores), np.std(scores, ddof=1))
    assert (result.t_interval, "") == t_interval(scores, 1.0, 0.95)
    assert (result.bootstrap_interval, "") == bootstrap_interval(scores, 1.0, 0.95, resamples=999)
    assert result.reasons == {}


def test_settings_arrive(whole, draw):
    result = whole(describe(draw(6), level=0.5, bootstrap="percentile", resamples=999))
    assert {result.t_interval.level, result.bootstrap_interval.level} == {0.5}
    assert result.bootstrap_interval.method == "percentile"
    assert whole(describe(draw(6), resamples=0)).reasons == {"bootstrap_interval": "not asked for"}


@pytest.mark.parametrize(
    ("scores", "missing"),
    [
        ([], {"mean", "std", "t_interval", "bootstrap_interval"}),
        ([0.9], {"std", "t_interval", "bootstrap_interval"}),
        ([0.9, 0.8], {"bootstrap_interval"}),
        ([0.9, 0.9], {"t_interval", "bootstrap_interval"}),
        ([0.1 + 0.2, 0.3, 0.3], {"t_interval", "bootstrap_interval"}),
    ],
)
def test_what_cannot_be_said_is_none_with_its_reason(whole, scores, missing):
    result = whole(describe(scores, resamples=99))
    assert set(result.reasons) == missing


def test_equal_values_have_the_standard_deviation_zero(whole):
    assert whole(describe([0.1 + 0.2, 0.3, 0.3])).std == 0.0


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="test_top1 of norm=rms"):
        describe([0.9, float("nan")], "test_top1 of norm=rms")
    with pytest.raises(UserError, match="level=95"):
        describe([0.9, 0.8], level=95)
    with pytest.raises(UserError, match="resamples=-1"):
        describe([0.9, 0.8], resamples=-1)
