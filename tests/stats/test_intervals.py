import numpy as np
import pytest
from scipy import stats

from vitlab.stats.intervals import bootstrap_interval, spread, t_interval, t_test


def test_the_t_interval_by_hand():
    # 1, 2, 3: mean 2, s = 1, t(2, .975) = 4.302652729696142 (tables: 4.3027), so 2 ± 4.3027/√3
    interval, why_not = t_interval(np.array([1.0, 2.0, 3.0]), 3.0, 0.95)
    assert why_not == ""
    assert interval.high - 2 == pytest.approx(4.302652729696142 / 3**0.5, rel=1e-10)
    assert 2 - interval.low == pytest.approx(interval.high - 2, rel=1e-12)
    assert (interval.level, interval.method) == (0.95, "t")


@pytest.mark.parametrize("n", [2, 3, 6, 40])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_t_interval_and_t_test_equal_scipy(draw, n, level):
    values = draw(n) + 0.5
    peer = stats.ttest_1samp(values, 0)
    interval, _ = t_interval(values, 1.0, level)
    assert (interval.low, interval.high) == pytest.approx(tuple(peer.confidence_interval(level)), rel=1e-12)
    assert t_test(values, 1.0)[:2] == pytest.approx((peer.statistic, peer.pvalue), rel=1e-12)


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_the_bootstrap_is_scipys_the_same_at_every_call_and_off_with_no_resamples(draw, method):
    values = draw(6)
    interval, _ = bootstrap_interval(values, 1.0, 0.9, method, 500)
    rng = np.random.default_rng(0)
    peer = stats.bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=500, method=method, random_state=rng
    ).confidence_interval
    assert (interval.low, interval.high) == pytest.approx(tuple(peer), rel=1e-12)
    assert bootstrap_interval(values, 1.0, 0.9, method, 500)[0] == interval
    assert bootstrap_interval(values, 1.0, 0.9, method, 0) == (None, "not asked for")


def test_the_percentile_bootstrap_of_three_values_ends_at_the_smallest_and_the_largest():
    # All three draws are the smallest value with chance 1/27 = 3.7 %, which is more than 2.5 %
    interval, _ = bootstrap_interval(np.array([1.0, 5.0, 6.0]), 6.0, 0.95, "percentile")
    assert (interval.low, interval.high) == (1.0, 6.0)


@pytest.mark.parametrize(
    ("values", "why"),
    [([], "no value"), ([0.5], "1 value has no spread"), ([0.5] * 4, "all 4 values are the same")],
)
def test_without_spread_there_is_no_interval_and_a_reason(values, why):
    values = np.array(values)
    assert t_interval(values, 0.5, 0.95) == (None, why)
    assert bootstrap_interval(values, 0.5, 0.95) == (None, why)
    assert t_test(values, 0.5) == (None, None, why)


def test_two_values_have_a_t_interval_and_no_bootstrap():
    values = np.array([0.5, 0.6])
    assert t_interval(values, 0.6, 0.95)[0] is not None
    assert bootstrap_interval(values, 0.6, 0.95) == (None, "2 values are too few for a bootstrap")


def test_zeros_show_no_effect_whatever():
    assert t_test(np.zeros(4), 0.9) == (0.0, 1.0, "")
    assert t_test(np.zeros(1), 0.9) == (None, None, "1 value has no spread")


def test_spread():
    assert spread(np.array([1.0, 2.0, 3.0]), 3.0) == (1.0, "")
    assert spread(np.array([0.9 - 0.8, 0.8 - 0.7]), 0.9) == (0.0, "")
    assert spread(np.array([1.0]), 1.0) == (None, "1 value has no spread")
