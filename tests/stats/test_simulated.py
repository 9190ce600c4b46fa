"""Planted truth: studies of 6 seeds and 7 comparisons with known effects, and how often the verdicts are right.

A run's score is √r · (its seed's worth) + √(1-r) · (its own noise), so cells correlate by r over seeds and a run's
standard deviation is 1. Everything is drawn from fixed seeds.
"""

import numpy as np
import pytest
from scipy import stats

from vitlab.stats.corrections import holm
from vitlab.stats.decision import compare
from vitlab.stats.intervals import bootstrap_interval, t_interval
from vitlab.stats.power import paired_power

SEEDS, COMPARISONS, STUDIES = 6, 7, 2_000


def draw_studies(correlation, effects=(0.0,) * COMPARISONS, count=STUDIES):
    """Scores [count, 1 + comparisons, seeds]; the first cell is the baseline."""
    generator = np.random.default_rng([20, round(100 * correlation)])  # else r would only scale the same differences
    seed = generator.normal(size=(count, 1, SEEDS))
    own = generator.normal(size=(count, 1 + len(effects), SEEDS))
    means = np.array([0.0, *effects])[:, None]
    return means + correlation**0.5 * seed + (1 - correlation) ** 0.5 * own


def verdicts_of(study):
    """What `compare` says of each comparison of a study [1 + comparisons, seeds]."""
    baseline, *others = (dict(enumerate(scores)) for scores in study)
    cells = {str(i): scores for i, scores in enumerate(others)}
    return [each.verdict for each in compare(baseline, cells, better="higher", resamples=0).values()]


def signs_of(studies):
    """The same of many studies at once, from scipy's t test: -1, 0 or 1 [count, comparisons]."""
    test = stats.ttest_rel(studies[:, 1:], studies[:, :1], axis=2)
    adjusted = np.array([holm(p.tolist()) for p in test.pvalue])
    return np.where(adjusted <= 0.05, np.sign(test.statistic), 0)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_the_fast_way_of_these_tests_decides_as_compare_does(correlation):
    studies = draw_studies(correlation, effects=(0, 0, 3, 3, -3, -3, 6), count=60)
    words = {-1: "worse", 0: "not distinguishable", 1: "better"}
    signs = signs_of(studies)
    assert [verdicts_of(study) for study in studies] == [[words[sign] for sign in row] for row in signs.tolist()]
    assert set(np.unique(signs)) == {-1, 0, 1}


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_family_wise_false_positives_without_any_effect(correlation):
    assert np.mean(signs_of(draw_studies(correlation)).any(axis=1)) <= 0.06


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize("effect", [6.0, -6.0])
def test_one_large_effect_is_found_in_its_direction_and_no_other(correlation, effect):
    signs = signs_of(draw_studies(correlation, effects=(effect, *(0.0,) * 6)))
    assert np.mean(signs[:, 0] == np.sign(effect)) >= 0.95
    assert np.mean(signs[:, 1:].any(axis=1)) <= 0.06


@pytest.mark.parametrize(("effect", "power"), [(3.0, 0.74), (6.0, 0.999)])
def test_the_power_on_record_and_the_one_by_the_noncentral_t(effect, power):
    """No correlation, one cell with an effect: Holm's first step decides nearly always, the others help a little."""
    found = np.mean(signs_of(draw_studies(0.0, effects=(effect, *(0.0,) * 6)))[:, 0] == 1)
    assert found == pytest.approx(power, abs=0.03)
    assert found >= paired_power(effect / 2**0.5, SEEDS, 0.05 / COMPARISONS) - 0.03


def test_correlation_is_what_pairing_lives_on():
    effects = (1.5, *(0.0,) * 6)
    weak, strong = (np.mean(signs_of(draw_studies(r, effects))[:, 0] == 1) for r in (0.0, 0.9))
    assert strong > 0.95 > 0.5 > weak


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_t_intervals_of_differences_cover(correlation):
    studies = draw_studies(correlation, effects=(0.7,), count=4_000)
    intervals = [t_interval(each, 1.0, 0.95)[0] for each in studies[:, 1] - studies[:, 0]]
    assert np.mean([each.low <= 0.7 <= each.high for each in intervals]) == pytest.approx(0.95, abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_every_study_through_compare(correlation):
    verdicts = [verdicts_of(study) for study in draw_studies(correlation)]
    assert np.mean([set(each) != {"not distinguishable"} for each in verdicts]) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("n", "covers"), [(3, 0.72), (6, 0.86)])
def test_the_bootstrap_covers_as_little_as_its_docstring_says(n, covers):
    values = np.random.default_rng(8).normal(size=(2_000, n))
    intervals = [bootstrap_interval(each, 1.0, 0.95)[0] for each in values]
    assert np.mean([each.low <= 0 <= each.high for each in intervals]) == pytest.approx(covers, abs=0.03)
