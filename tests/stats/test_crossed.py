"""Means and contrasts over seeds and pictures."""

import numpy as np
import pytest
from scipy import stats

from vitlab.base.errors import UserError
from vitlab.stats.crossed import Estimate, Part, ScoreTable, contrast, critical


def table(scores):
    """A cell whose pictures are known."""
    scores = np.asarray(scores, float)
    return ScoreTable(scores.mean(axis=1), scores)


def test_the_t_interval_of_a_mean_by_hand():
    # 1, 2, 3: mean 2, s = 1, t(2, .975) = 4.302652729696142 (tables: 4.3027), so 2 ± 4.3027/√3
    interval = contrast([ScoreTable([1.0, 2.0, 3.0])], [1.0]).interval()
    assert interval.high - 2 == pytest.approx(4.302652729696142 / 3**0.5, rel=1e-10)
    assert 2 - interval.low == pytest.approx(interval.high - 2, rel=1e-12)
    assert (interval.level, interval.method) == (0.95, "t")


@pytest.mark.parametrize("n", [2, 3, 6, 40])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_over_seeds_alone_a_mean_is_scipys_t(draw, n, level):
    values = draw(n) + 0.5
    estimate, peer = contrast([ScoreTable(values)], [1.0]), stats.ttest_1samp(values, 0)
    interval = estimate.interval(level)
    assert (interval.low, interval.high) == pytest.approx(tuple(peer.confidence_interval(level)), rel=1e-10)
    assert estimate.p() == pytest.approx(peer.pvalue, rel=1e-9)


def test_over_seeds_alone_two_cells_are_welchs_t_of_scipy(draw):
    a, b = draw(6) + 1, 3 * draw(4)
    estimate, peer = contrast([ScoreTable(a), ScoreTable(b)], [1.0, -1.0]), stats.ttest_ind(a, b, equal_var=False)
    interval = estimate.interval(0.9)
    assert (interval.low, interval.high) == pytest.approx(tuple(peer.confidence_interval(0.9)), rel=1e-10)
    assert estimate.p() == pytest.approx(peer.pvalue, rel=1e-9)


def test_over_seeds_and_pictures_the_quantile_is_weighted(draw):
    a, b = (table(draw(1, 60) + draw(n, 1) + draw(n, 60)) for n in (6, 4))
    estimate = contrast([a, b], [1.0, -1.0])
    one, other = a.runs.var(ddof=1) / 6, b.runs.var(ddof=1) / 4
    welch = (one + other) ** 2 / (one**2 / 5 + other**2 / 3)
    seeds, pictures = one + other, estimate.picture_error**2
    quantile = (seeds * stats.t.ppf(0.975, welch) + pictures * stats.t.ppf(0.975, 59)) / (seeds + pictures)
    assert pictures > 0
    assert estimate.interval().high - estimate.value == pytest.approx(quantile * estimate.error, rel=1e-10)


def test_the_variance_is_that_of_two_crossed_random_factors(draw):
    """Of one cell: (MS of runs + MS of pictures - residual MS) / (n P), the textbook's of a mean over both."""
    n, count = 5, 40
    scores = draw(n, 1) + 2 * draw(1, count) + 0.5 * draw(n, count)
    runs, pictures, grand = scores.mean(1, keepdims=True), scores.mean(0, keepdims=True), scores.mean()
    residual = ((scores - runs - pictures + grand) ** 2).sum() / ((n - 1) * (count - 1))
    of_runs = count * ((runs - grand) ** 2).sum() / (n - 1)
    of_pictures = n * ((pictures - grand) ** 2).sum() / (count - 1)
    expected = (of_runs + of_pictures - residual) / (n * count)
    assert contrast([table(scores)], [1.0]).error ** 2 == pytest.approx(expected, rel=1e-10)


def test_the_variance_of_a_difference_is_right_on_average():
    """Planted: pictures that both cells find hard, and runs of their own; new ones of both in every study."""
    chances = np.random.default_rng(3)
    studies, runs, count = 3_000, (3, 5), 60
    values, variances = [], []
    for _ in range(studies):
        hard, other = chances.normal(size=count), 0.5 * chances.normal(size=count)
        cells = [
            table(hard + shift * other + 0.2 * chances.normal(size=(n, 1)) + chances.normal(size=(n, count)))
            for n, shift in zip(runs, (0, 1), strict=True)
        ]
        estimate = contrast(cells, [1.0, -1.0])
        values.append(estimate.value)
        variances.append(estimate.error**2)
    true = 0.25 / count + sum((0.04 + 1 / count) / n for n in runs)
    assert np.var(values) == pytest.approx(true, rel=0.1)
    assert np.mean(variances) == pytest.approx(true, rel=0.05)  # a picture variance below 0 counts as 0


def test_hits_as_bits_and_as_numbers_are_the_same(draw):
    hits = draw(4, 30) > 0
    as_bits = contrast([ScoreTable(hits.mean(1), hits)], [1.0])
    assert as_bits == contrast([table(hits)], [1.0])
    assert as_bits.interval().method == "crossed t"


def test_more_runs_of_the_same_pictures_leave_the_pictures_error(draw):
    pictures = draw(1, 50)
    few, many = (contrast([table(pictures + 0.1 * draw(n, 50))], [1.0]) for n in (3, 300))
    assert many.seed_error < 0.2 * few.seed_error
    assert many.picture_error == pytest.approx(few.picture_error, rel=0.1)
    assert many.error >= many.picture_error


def test_the_same_pictures_cancel_in_a_difference(draw):
    pictures = 5 * draw(1, 50)
    a, b = (table(pictures + 0.1 * draw(4, 50)) for _ in range(2))
    assert contrast([a, b], [1.0, -1.0]).picture_error < 0.05 * contrast([a], [1.0]).picture_error


def test_where_pictures_are_not_the_same_or_not_known_only_seeds_count(draw):
    known = table(draw(3, 20))
    for other in (ScoreTable(draw(3)), table(draw(3, 19))):
        estimate = contrast([known, other], [1.0, -1.0])
        assert (estimate.pictures, estimate.picture_error) == (None, None)
        assert estimate.interval() == estimate.interval_over_seeds()


@pytest.mark.parametrize("seeds", [(2, 2), (3, 6), (16, 6)])
def test_p_is_the_level_at_which_the_interval_ends_at_zero(draw, seeds):
    a, b = (table(draw(1, 60) + draw(n, 1) + draw(n, 60)) for n in seeds)
    estimate = contrast([a, b], [1.0, -1.0])
    interval = estimate.interval(1 - estimate.p())
    assert min(abs(interval.low), abs(interval.high)) < 1e-6 * estimate.error


def test_the_critical_value_lies_between_those_of_its_parts():
    parts = (Part(1.0, 2), Part(3.0, 9_999))
    assert critical(0.05, parts) == pytest.approx((4.302652729696142 + 3 * 1.9602012) / 4, rel=1e-6)


def test_a_single_run_has_no_spread_and_no_run_no_value(draw):
    estimate = contrast([ScoreTable([0.5], name="alone"), ScoreTable(draw(3))], [1.0, -1.0])
    assert estimate.reasons == {"error": "alone: 1 run has no spread"}
    assert (estimate.error, estimate.p(), estimate.interval()) == (None, None, None)
    assert contrast([ScoreTable([], name="empty")], [1.0]).value is None


def test_differences_by_rounding_are_none():
    a, b = ScoreTable([0.1 + 0.2, 0.3]), ScoreTable([0.3, 0.3])
    estimate = contrast([a, b], [1.0, -1.0])
    assert (estimate.value, estimate.error, estimate.p()) == (0.0, 0.0, 1.0)
    shifted = contrast([a, ScoreTable([0.25, 0.25])], [1.0, -1.0])
    assert (shifted.error, shifted.p(), shifted.interval()) == (0.0, None, None)


def test_scores_that_do_not_fit_their_runs_are_refused(draw):
    with pytest.raises(UserError, match="3 runs and scores of pictures of shape"):
        ScoreTable(draw(3), draw(2, 10))
    with pytest.raises(UserError, match="value 1 is nan"):
        ScoreTable([0.5, float("nan")])


def test_means_that_tie_by_chance_have_the_variance_of_their_pictures():
    """Three runs, each right on another 300 of 360: their means are equal, and the next one's need not be."""
    hits = np.ones((3, 360), bool)
    for run in range(3):
        hits[run, 60 * run : 60 * run + 60] = False
    estimate = contrast([ScoreTable(hits.mean(axis=1), hits)], [1.0])
    assert estimate.seed_error > 0
    assert estimate.interval().high - estimate.interval().low > 0.02


@pytest.mark.parametrize("df", [1, 2.24, 9.5, 399])
@pytest.mark.parametrize("of_seeds", [1e-3, 0.97])
def test_p_goes_down_with_t_however_far(df, of_seeds):
    parts = ((Part(of_seeds, df),), Part(1 - of_seeds, 9_999))
    values = [Estimate(float(t), *parts, scale=1.0).p() for t in (5, 10, 20, 40, 66, 100, 1_000)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[1] > values[2]
    assert values[-1] > 0
