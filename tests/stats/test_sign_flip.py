"""The sign-flip test of paired differences."""

import itertools

import numpy as np
import pytest
from scipy import stats

from vitlab.stats.permutation import COMPLETE, DRAWS
from vitlab.stats.sign_flip import SignFlipTest, smallest_sign_flip_p


@pytest.mark.parametrize(("n", "floor"), [(1, 1.0), (2, 0.5), (3, 0.25), (5, 0.0625), (6, 0.03125), (8, 0.0078125)])
def test_the_floor_is_reached_where_all_seeds_agree(n, floor):
    assert SignFlipTest(np.arange(1.0, n + 1)).p() == floor == smallest_sign_flip_p(n)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_the_definition_all_ways_written_out(draw, n):
    differences = draw(n) + 0.3
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=n)]
    expected = np.mean([each >= abs(differences.sum()) - 1e-12 for each in sums])
    assert SignFlipTest(differences).p() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [3, 6, 9])
def test_equals_scipys_exact_permutation_test(draw, n):
    differences = draw(n) + 0.3
    peer = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert SignFlipTest(differences).p() == pytest.approx(peer.pvalue, rel=1e-12)


def test_ties_count_though_their_sums_differ_by_rounding():
    # .1 + .2 - .3 and .1 - .2 + .3 …: sums of steps of .1 that floats do not keep apart or together by themselves.
    # In tenths the sums of 1, 2, -3 are 0, so every way is at least as far from 0.
    assert SignFlipTest(np.array([0.1, 0.2, -0.3])).p() == 1.0
    # 1, 2, 3, -2 sum to 4; of the eight ways with the first sign up |1±2±3±2| = 8, 4, 2, 2, 4, 0, 2, 6 -> 4 of 8
    assert SignFlipTest(np.array([0.1, 0.2, 0.3, -0.2])).p() == 0.5


def test_identical_cells_have_p_one():
    assert SignFlipTest(np.zeros(6)).p() == 1.0


def test_many_seeds_are_drawn_near_the_exact_p_and_never_to_zero(draw):
    n = 16
    assert 2**n > COMPLETE
    differences = draw(n) + 0.25
    signs = 1.0 - 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
    exact = np.mean(abs(signs @ differences) >= abs(differences.sum()) - 1e-12)
    drawn = SignFlipTest(differences).p()
    assert abs(drawn - exact) < 4 * (exact * (1 - exact) / DRAWS) ** 0.5
    assert SignFlipTest(np.ones(60)).p() == 1 / DRAWS


def test_the_interval_leaves_out_exactly_what_is_rejected(draw):
    for _ in range(5):
        test = SignFlipTest(draw(8) + 0.4)
        low, high = test.ends(0.05, 0.4)
        assert (low > 0 or high < 0) == (test.p() <= 0.05)
        assert min(test.p(low), test.p(high)) > 0.05 >= max(test.p(low - 0.01), test.p(high + 0.01))
    assert SignFlipTest(draw(5)).ends(0.05, 0.4) is None
