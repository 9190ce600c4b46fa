"""The seeds that would decide what leans."""

import numpy as np
import pytest

from vitlab.stats.crossed import ScoreTable, contrast
from vitlab.stats.permutation import smallest_p
from vitlab.stats.power import MOST_SEEDS, seeds_needed


def never(_seeds):
    return 0.0


def two_cells(difference, n=6, pictures=0.0, count=100):
    """Runs of mean 0 and variance 1 exactly, and pictures whose contrast has a variance of its own."""
    runs = np.linspace(-1, 1, n)
    runs /= runs.std(ddof=1)
    by_picture = np.linspace(-1, 1, count)
    by_picture *= pictures**0.5 / by_picture.std(ddof=1)
    cell, baseline = (runs[:, None] + shift + on * by_picture[None] for shift, on in ((difference, 1), (0.0, 0)))
    return contrast([ScoreTable(each.mean(1), each) for each in (cell, baseline)], [1.0, -1.0])


def test_the_seeds_needed_have_the_power_that_they_promise():
    """Planted: an effect as large as the one seen, the spread seen, tested as studies are."""
    seen = two_cells(1.2)
    seeds, why = seeds_needed(seen, 6, 0.05, never)
    assert why == ""
    chances = np.random.default_rng(0)
    found = 0
    for _ in range(2_000):
        cell, baseline = chances.normal(size=(2, seeds))
        found += contrast([ScoreTable(cell + 1.2), ScoreTable(baseline)], [1.0, -1.0]).p() <= 0.05
    assert found / 2_000 == pytest.approx(0.8, abs=0.05)


def test_smaller_effects_and_stricter_levels_need_more():
    numbers = [
        seeds_needed(two_cells(effect), 6, level, never)[0]
        for effect, level in ((2.0, 0.05), (1.0, 0.05), (1.0, 0.05 / 7), (0.5, 0.05 / 7))
    ]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 4


def test_the_test_over_runs_must_be_able_to_decide():
    huge = two_cells(50.0)
    assert seeds_needed(huge, 6, 0.05 / 7, never)[0] == 7  # so many as there are have not decided it
    assert seeds_needed(huge, 6, 0.05 / 7, lambda seeds: smallest_p(((seeds - 1, seeds - 1),)))[0] == 7


def test_where_pictures_are_too_few_no_seeds_help():
    seen = two_cells(1.0, pictures=100.0, count=100)
    needed, why = seeds_needed(seen, 6, 0.05, never)
    assert (needed, "too few images" in why) == (None, True)
    tiny = two_cells(1e-4)
    assert seeds_needed(tiny, 6, 0.05, never)[0] is None
    assert MOST_SEEDS == 10_000


def test_without_an_effect_or_a_spread_it_says_so():
    assert seeds_needed(two_cells(0.0), 6, 0.05, never) == (None, "no difference was seen")
    one = contrast([ScoreTable([1.0], name="one"), ScoreTable([0.0, 1.0])], [1.0, -1.0])
    assert seeds_needed(one, 6, 0.05, never) == (None, "one: 1 run has no spread")
