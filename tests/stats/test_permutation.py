"""The permutation test over runs."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from vitlab.stats.permutation import COMPLETE, DRAWS, PermutationTest, Stratum, arrangements, smallest_p


def test_of(*pairs):
    return PermutationTest([Stratum(np.asarray(a, float), np.asarray(b, float)) for a, b in pairs])


test_of.__test__ = False


def welch(a, b, axis):
    variances = (each.var(axis, ddof=1) / each.shape[axis] for each in (a, b))
    return np.abs(a.mean(axis) - b.mean(axis)) / np.sqrt(sum(variances))


@pytest.mark.parametrize("sizes", [(3, 3), (4, 2), (5, 6), (2, 9)])
def test_it_is_scipys_exact_test_of_welchs_t(draw, sizes):
    a, b = draw(sizes[0]) + 1, draw(sizes[1])
    peer = stats.permutation_test((a, b), welch, alternative="greater", n_resamples=np.inf, vectorized=True)
    assert test_of((a, b)).p() == pytest.approx(peer.pvalue, rel=1e-12)
    moved = stats.permutation_test((a - 0.7, b), welch, alternative="greater", n_resamples=np.inf, vectorized=True)
    assert test_of((a, b)).p(0.7) == pytest.approx(moved.pvalue, rel=1e-12)


def test_strata_are_shared_each_for_itself(draw):
    """A definition of its own: every way in one stratum with every way in the other."""
    strata = [(draw(3) + 1, draw(2)), (draw(2) + 1, draw(3))]

    def parts(pair):
        pooled, n = np.concatenate(pair), len(pair[0])
        for chosen in combinations(range(len(pooled)), n):
            one, other = pooled[list(chosen)], np.delete(pooled, chosen)
            yield one.mean() - other.mean(), one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)

    ways = [(d + e, v + w) for d, v in parts(strata[0]) for e, w in parts(strata[1])]
    t = np.array([abs(difference) / variance**0.5 for difference, variance in ways])
    test = test_of(*strata)
    assert test.p() == pytest.approx(np.mean(t >= t[0] - 1e-12), rel=1e-12)
    assert test.difference == pytest.approx(ways[0][0] / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("sizes", "floor"), [((3, 3), 0.1), ((4, 4), 2 / 70), ((5, 5), 2 / 252), ((6, 6), 2 / 924), ((16, 6), 2 / 74_613)]
)
def test_the_floors_of_the_issue(sizes, floor):
    assert smallest_p((sizes,)) == pytest.approx(floor, rel=1e-12)
    if arrangements((sizes,)) <= COMPLETE:
        assert test_of((np.arange(sizes[0]) + 100.0, np.arange(sizes[1]))).p() == pytest.approx(floor, rel=1e-12)


def test_too_many_ways_are_drawn_the_same_at_every_call_and_near_the_exact_p(draw):
    a, b = draw(9) + 0.8, draw(10)
    drawn = test_of((a, b)).p()
    assert arrangements(((9, 10),)) > COMPLETE
    assert drawn == test_of((a, b)).p()
    exact = stats.permutation_test((a, b), welch, alternative="greater", n_resamples=np.inf, vectorized=True).pvalue
    assert abs(drawn - exact) < 4 * (exact * (1 - exact) / DRAWS) ** 0.5
    assert 1 / DRAWS <= test_of((a + 100, b)).p() < 2 / DRAWS + 8 * (2 / arrangements(((9, 10),)) / DRAWS) ** 0.5


def test_the_interval_leaves_out_exactly_what_is_rejected(draw):
    for sizes in ((4, 4), (6, 6), (6, 9)):
        test = test_of((draw(sizes[0]) + 0.5, draw(sizes[1])))
        for alpha in (0.05, 0.2):
            low, high = test.ends(alpha, 0.4)
            assert low < test.difference < high
            assert (low > 0 or high < 0) == (test.p() <= alpha)
            assert test.p(low) > alpha
            assert test.p(high) > alpha
            assert test.p(low - 0.01) <= alpha
            assert test.p(high + 0.01) <= alpha


def test_too_few_runs_reject_nothing():
    assert test_of(([5.0, 6.0, 7.0], [0.0, 1.0, 2.0])).ends(0.05, 1.0) is None


def test_equal_runs_have_p_one():
    assert test_of(([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])).p() == 1.0
    assert test_of(([0.1 + 0.2, 0.3], [0.3, 0.3])).p() == 1.0
    # both without spread and apart: the way seen and its mirror image are the only ones with an infinite t
    assert test_of(([0.9, 0.9, 0.9], [0.5, 0.5, 0.5])).p() == pytest.approx(0.1)


@pytest.mark.parametrize("law", ["exponential", "ties"])
def test_it_keeps_its_level_whatever_the_law_if_both_cells_have_it(law):
    chances = np.random.default_rng(8)
    rejected = 0
    for _ in range(1_500):
        runs = chances.exponential(size=8) if law == "exponential" else chances.integers(0, 4, size=8)
        rejected += test_of((runs[:4], runs[4:])).p() <= 0.1
    assert rejected / 1_500 <= 0.1 + 3 * (0.09 / 1_500) ** 0.5
