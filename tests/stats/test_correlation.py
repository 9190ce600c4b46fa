"""What pairing relies on."""

import pytest
from scipy import stats

from vitlab.stats.correlation import correlation


def test_it_is_pearsons_over_the_seeds_that_both_have(draw, cell):
    a, b = draw(6), draw(6)
    assert correlation(cell(*a), cell(*b))[0] == pytest.approx(stats.pearsonr(a, b).statistic, rel=1e-12)
    backwards = dict(reversed(cell(*b).items())) | {9: 5.0}
    assert correlation(cell(*a), backwards) == correlation(cell(*a), cell(*b))


def test_where_there_is_none_it_says_why(cell):
    assert correlation(cell(0.5, 0.6), cell(0.7, 0.75)) == (None, "a correlation needs at least 3 seeds")
    assert correlation(cell(1, 1, 1), cell(1, 2, 3)) == (None, "the baseline is the same at every seed")
    assert correlation(cell(1, 2, 3), cell(0.3, 0.1 + 0.2, 0.3)) == (None, "the cell is the same at every seed")
