import numpy as np
import pytest

from vitlab.base.errors import UserError
from vitlab.stats.paired import paired
from vitlab.stats.power import MOST_SEEDS, paired_power, seeds_for, sensitivity, smallest_d_z


def test_without_an_effect_the_power_is_the_level():
    for n in (2, 6, 30):
        for level in (0.05, 0.05 / 7, 0.05 / 100):
            assert paired_power(0.0, n, level) == pytest.approx(level, rel=1e-9)


def test_the_anchor_six_seeds_seven_comparisons_effects_of_three_and_six_run_standard_deviations():
    # Without correlation the differences have √2 times the runs' standard deviation
    assert paired_power(3 / 2**0.5, 6, 0.05 / 7) == pytest.approx(0.74, abs=0.01)
    assert paired_power(6 / 2**0.5, 6, 0.05 / 7) == pytest.approx(0.999, abs=0.001)


@pytest.mark.peer
@pytest.mark.parametrize("n", [2, 3, 6, 25])
@pytest.mark.parametrize("level", [0.05, 0.05 / 7])
def test_power_and_smallest_effect_equal_statsmodels(n, level):
    peer = pytest.importorskip("statsmodels.stats.power").TTestPower()
    for d_z in (0.1, 0.5, 1.0):
        assert paired_power(d_z, n, level) == pytest.approx(peer.power(d_z, n, level), rel=1e-8)
    # As two one-sided tests at half the level: statsmodels' two-sided power is NaN for some effects with SciPy 1.17
    smallest = smallest_d_z(n, level)
    tails = [peer.power(d_z, n, level / 2, alternative="larger") for d_z in (smallest, -smallest)]
    assert sum(tails) == pytest.approx(0.8, abs=1e-8)


def test_the_smallest_effect_by_simulation():
    n, level = 6, 0.05 / 7
    d_z = smallest_d_z(n, level)
    values = np.random.default_rng(5).normal(d_z, 1, size=(40_000, n))
    t = values.mean(1) / (values.std(1, ddof=1) / n**0.5)
    critical = 4.381752962166306  # t with 5 degrees of freedom, .05/14 above it (scipy.stats.t.isf)
    assert np.mean(abs(t) > critical) == pytest.approx(0.8, abs=4 * (0.16 / 40_000) ** 0.5)


@pytest.mark.parametrize("n", [2, 3, 200])
def test_large_effects_and_strict_levels_stay_numbers(n):
    for level in (0.05, 0.05 / 1000):
        powers = [paired_power(d_z, n, level) for d_z in np.geomspace(0.01, 1e4, 60)]
        assert np.isfinite(powers).all()
        assert (np.diff(powers) > -1e-9).all()
        assert paired_power(smallest_d_z(n, level), n, level) == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("d_z", [0.05, 0.3, 1.0, 2.0, 30.0])
def test_the_seeds_needed_are_enough_and_one_less_is_not(d_z):
    n = seeds_for(d_z, 0.05)
    assert paired_power(d_z, n, 0.05) >= 0.8
    assert n == 2 or paired_power(d_z, n - 1, 0.05) < 0.8
    assert seeds_for(1e-4, 0.05) is None


def test_what_a_comparison_could_have_shown(whole, cell):
    difference = paired(cell(1.0, 2.0, 3.0, 2.5), cell(2.0, 2.5, 5.0, 2.0), resamples=0)
    result = whole(sensitivity(difference, comparisons=7))
    assert result.level == 0.05 / 7
    assert result.smallest_effect == smallest_d_z(4, 0.05 / 7) * difference.std
    assert result.seeds_needed == seeds_for(difference.mean / difference.std, 0.05 / 7)
    backwards = whole(sensitivity(paired(cell(2.0, 2.5, 5.0, 2.0), cell(1.0, 2.0, 3.0, 2.5)), comparisons=7))
    assert backwards == result
    plain = whole(sensitivity(difference, comparisons=1))
    assert plain.level == 0.05
    assert plain.smallest_effect < result.smallest_effect
    assert plain.seeds_needed < result.seeds_needed


def test_what_cannot_be_said_is_none_with_its_reason(whole, cell):
    both = {"smallest_effect", "seeds_needed"}
    for difference in (
        paired(cell(1.0), cell(2.0)),
        paired({}, {}),
        paired(cell(1.0, 2.0), cell(1.0, 2.0)),
        paired(cell(1.0, 2.0), cell(2.0, 3.0)),
    ):
        assert set(whole(sensitivity(difference, comparisons=2)).reasons) == both
    no_mean = paired(cell(1.0, 2.0), cell(2.0, 1.0))
    assert whole(sensitivity(no_mean, comparisons=2)).reasons == {"seeds_needed": "no difference was seen"}
    tiny = paired(cell(0.0, 0.0), cell(1.0, -0.9999))
    result = whole(sensitivity(tiny, comparisons=2))
    assert result.reasons == {"seeds_needed": f"more than {MOST_SEEDS:,}"}


def test_nonsense_is_refused(cell):
    difference = paired(cell(1.0, 2.0), cell(1.0, 3.0))
    for settings, says in (({"comparisons": 0}, "comparisons=0"), ({"comparisons": 1, "power": 80}, "power=80")):
        with pytest.raises(UserError, match=says):
            sensitivity(difference, **settings)
