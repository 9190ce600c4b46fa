import itertools

import numpy as np
import pytest
from scipy import stats

from vitlab.stats.sign_flip import DRAWS, ENUMERATED, sign_flip


@pytest.mark.parametrize(("n", "floor"), [(1, 1.0), (2, 0.5), (3, 0.25), (5, 0.0625), (6, 0.03125), (8, 0.0078125)])
def test_the_floor_is_reached_where_all_seeds_agree(n, floor):
    result = sign_flip(np.arange(1.0, n + 1), 1.0)
    assert (result.p, result.floor, result.method) == (floor, floor, "exact")


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_the_definition_all_ways_written_out(draw, n):
    differences = draw(n) + 0.3
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=n)]
    expected = np.mean([each >= abs(differences.sum()) - 1e-12 for each in sums])
    assert sign_flip(differences, 1.0).p == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [3, 6, 9])
def test_equals_scipys_exact_permutation_test(draw, n):
    differences = draw(n) + 0.3
    peer = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(differences, 1.0).p == pytest.approx(peer.pvalue, rel=1e-12)


def test_ties_count_though_their_sums_differ_by_rounding():
    # .1 + .2 - .3 and .1 - .2 + .3 …: sums of steps of .1 that floats do not keep apart or together by themselves.
    # In tenths the sums of 1, 2, -3 are 0, so every way is at least as far from 0.
    assert sign_flip(np.array([0.1, 0.2, -0.3]), 0.3).p == 1.0
    # 1, 2, 3, -2 sum to 4; of the eight ways with the first sign up |1±2±3±2| = 8, 4, 2, 2, 4, 0, 2, 6 -> 4 of 8
    assert sign_flip(np.array([0.1, 0.2, 0.3, -0.2]), 0.3).p == 0.5


def test_identical_cells_have_p_one():
    assert sign_flip(np.zeros(6), 0.9).p == 1.0


def test_many_seeds_are_drawn_the_same_at_every_call_and_near_the_exact_p(draw):
    differences = draw(ENUMERATED + 1) + 0.25
    signs = 1.0 - 2.0 * (np.arange(2**ENUMERATED)[:, None] >> np.arange(ENUMERATED + 1) & 1)
    exact = np.mean(abs(signs @ differences) >= abs(differences.sum()) - 1e-12)
    result = sign_flip(differences, 1.0)
    assert result == sign_flip(differences, 1.0)
    assert "Monte Carlo" in result.method
    assert abs(result.p - exact) < 4 * (exact * (1 - exact) / DRAWS) ** 0.5


def test_a_drawn_p_is_never_zero():
    result = sign_flip(np.ones(60), 1.0)
    assert result.p == result.floor == 1 / (DRAWS + 1)
    assert sign_flip(np.ones(ENUMERATED), 1.0).method == "exact"


@pytest.mark.parametrize(("seeds", "decides"), [(6, False), (8, False), (9, True)])
def test_corrected_over_seven_comparisons_it_cannot_decide_below_nine_seeds(seeds, decides):
    assert (7 * sign_flip(np.ones(seeds), 1.0).floor <= 0.05) == decides
