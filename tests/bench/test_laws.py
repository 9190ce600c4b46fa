"""Laws of scores: their means and spreads are what they say."""

import numpy as np
import pytest
from scipy import stats

from vitlab.bench.simulations.laws import LAWS, LEVEL, PictureLaw


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_all_means_are_zero(law):
    chances = np.random.default_rng(0)
    for draw in (law.cell, law.baseline):
        values = draw(chances, 200_000)
        assert abs(values.mean()) < 4 * values.std() / 200_000**0.5


def test_which_laws_are_equal():
    assert [law.equal for law in LAWS] == [True] * 5 + [False] * 4


@pytest.mark.parametrize("own", [0.0, 0.8])
def test_a_picture_laws_mean_and_spread_of_runs(own):
    law, chances = PictureLaw(own=own), np.random.default_rng(1)
    means, spreads = [], []
    for _ in range(300):
        hits = law.hits(chances, 6, law.shared_pictures(chances, 500), LEVEL)
        means.append(hits.mean())
        spreads.append(hits.mean(axis=1).var(ddof=1))
    assert np.mean(means) == pytest.approx(law.mean(LEVEL), abs=4 * np.std(means) / 300**0.5)
    assert np.mean(spreads) ** 0.5 == pytest.approx(law.run_std(LEVEL, 500), rel=0.05)


def test_a_level_by_its_mean():
    law = PictureLaw()
    assert law.level_of(law.mean(1.3)) == pytest.approx(1.3, rel=1e-9)
    assert law.mean(0.0) == pytest.approx(stats.norm.cdf(0.0))
