import numpy as np
import pytest
from scipy import stats

from vitlab.base.errors import UserError
from vitlab.stats.paired import paired

NUMBERS = {"mean", "std", "t_interval", "bootstrap_interval", "t", "p", "sign_flip", "correlation", "d_z"}
NUMBERS |= {"in_run_stds"}


def test_by_hand(whole, cell):
    # differences 1, 2, 3: mean 2, s = 1, t = 2√3, d_z = 2; baseline 1, 2, 3 (s = 1), cell 2, 4, 6 (s = 2), r = 1
    result = whole(paired(cell(1.0, 2.0, 3.0), cell(2.0, 4.0, 6.0)))
    assert (result.n, result.mean, result.std) == (3, 2.0, 1.0)
    assert result.t == pytest.approx(2 * 3**0.5, rel=1e-12)
    # Two-sided p of t with two degrees of freedom: 1 - t/√(2 + t²)
    assert result.p == pytest.approx(1 - (12 / 14) ** 0.5, rel=1e-12)
    assert result.d_z == pytest.approx(2.0, rel=1e-12)
    assert result.in_run_stds == pytest.approx(2 / 2.5**0.5, rel=1e-12)
    assert result.correlation == pytest.approx(1.0, rel=1e-12)
    assert result.sign_flip.p == 0.25
    assert result.bootstrap_interval.low <= 2 <= result.bootstrap_interval.high


def test_equals_scipy(whole, draw):
    seed_effect = draw(8)
    a, b = seed_effect + draw(8), seed_effect + draw(8) + 0.5
    result = whole(paired(dict(enumerate(a)), dict(enumerate(b)), level=0.9))
    peer = stats.ttest_rel(b, a)
    assert (result.t, result.p) == pytest.approx((peer.statistic, peer.pvalue), rel=1e-12)
    expected = tuple(peer.confidence_interval(0.9))
    assert (result.t_interval.low, result.t_interval.high) == pytest.approx(expected, rel=1e-10)
    assert result.correlation == pytest.approx(stats.pearsonr(a, b).statistic, rel=1e-12)


def test_seeds_are_paired_by_their_number_and_not_by_their_order(whole, draw):
    a, b = draw(5), draw(5)
    seeds = [3, 1, 4, 0, 7]
    here = paired(dict(zip(seeds, a, strict=True)), dict(zip(seeds, b, strict=True)), resamples=99)
    backwards = paired(dict(zip(seeds, a, strict=True)), dict(zip(seeds[::-1], b[::-1], strict=True)), resamples=99)
    assert whole(here) == whole(backwards)
    assert here.mean == pytest.approx(float((b - a).mean()), rel=1e-12)


def test_seeds_that_one_cell_lacks_are_left_out_and_reported(whole):
    result = whole(paired({0: 0.5, 1: 0.6, 2: 0.7, 5: 0.9}, {1: 0.7, 2: 0.9, 3: 0.1}, resamples=0))
    assert (result.seeds, result.only_baseline, result.only_cell) == ((1, 2), (0, 5), (3,))
    assert result.mean == pytest.approx(0.15, rel=1e-12)


@pytest.mark.parametrize(("baseline", "other"), [({}, {}), ({0: 0.5}, {}), ({0: 0.5, 1: 0.6}, {2: 0.5})])
def test_no_seed_in_common(whole, baseline, other):
    result = whole(paired(baseline, other))
    assert result.reasons == dict.fromkeys(NUMBERS, "no seed in common")


def test_one_seed_has_a_difference_and_nothing_else(whole, cell):
    result = whole(paired(cell(0.5), cell(0.75)))
    assert result.mean == 0.25
    assert set(result.reasons) == NUMBERS - {"mean", "sign_flip"}
    assert (result.sign_flip.p, result.sign_flip.floor) == (1.0, 1.0)


def test_two_seeds_have_no_correlation_and_no_bootstrap(whole, cell):
    assert set(whole(paired(cell(0.5, 0.6), cell(0.7, 0.75))).reasons) == {"correlation", "bootstrap_interval"}


def test_identical_cells(whole, cell):
    result = whole(paired(cell(0.5, 0.6, 0.8), cell(0.5, 0.6, 0.8)))
    assert (result.mean, result.std, result.t, result.p, result.d_z, result.in_run_stds) == (0, 0, 0, 1, 0, 0)
    assert result.sign_flip.p == 1.0
    assert set(result.reasons) == {"t_interval", "bootstrap_interval"}
    assert result.correlation == pytest.approx(1.0, rel=1e-12)


def test_identical_but_for_rounding(whole, cell):
    result = whole(paired(cell(0.3, 0.6), cell(0.1 + 0.2, 0.6)))
    assert (result.mean, result.p) == (0.0, 1.0)


def test_the_same_difference_at_every_seed_is_no_test(whole, cell):
    # .9 - .8, .8 - .7 and .4 - .3 differ by rounding, and a t test of that would say p < 1e-30
    result = whole(paired(cell(0.8, 0.7, 0.3), cell(0.9, 0.8, 0.4)))
    assert result.mean == pytest.approx(0.1, rel=1e-12)
    assert result.std == 0.0
    assert result.reasons["p"] == result.reasons["t_interval"] == "all 3 values are the same"
    assert result.sign_flip.p == result.sign_flip.floor == 0.25
    assert result.in_run_stds == pytest.approx(0.1 / np.std([0.8, 0.7, 0.3], ddof=1), rel=1e-12)


def test_cells_that_do_not_vary(whole, cell):
    result = whole(paired(cell(5e6, 5e6, 5e6), cell(2e6, 2e6, 2e6)))
    assert result.mean == -3e6
    assert result.reasons["correlation"] == "the baseline is the same at every seed"
    assert result.reasons["in_run_stds"] == "neither cell varies over its seeds"
    result = whole(paired(cell(1.0, 2.0, 4.0), cell(3.0, 3.0, 3.0)))
    assert result.reasons == {"correlation": "the cell is the same at every seed"}


def test_pairing_is_worth_the_correlation(whole, draw):
    a, b = draw(9), draw(9)
    b += 3 * a
    result = whole(paired(dict(enumerate(a)), dict(enumerate(b)), resamples=0))
    variances = np.var(a, ddof=1) + np.var(b, ddof=1)
    shared = 2 * result.correlation * np.std(a, ddof=1) * np.std(b, ddof=1)
    assert result.std**2 == pytest.approx(variances - shared, rel=1e-10)


def test_nonsense_is_refused_by_the_cells_name(cell):
    with pytest.raises(UserError, match=r"^pool=mean: the score of seed 1 is nan"):
        paired(cell(0.5, 0.6), cell(0.5, float("nan")), "pool=mean")
    with pytest.raises(UserError, match=r"^baseline: expected a mapping"):
        paired([0.5, 0.6], cell(0.5, 0.6))
