import itertools

import numpy as np
import pytest
from scipy import stats

from vitlab.base.errors import UserError
from vitlab.stats.corrections import holm
from vitlab.stats.factorial import factorial
from vitlab.stats.paired import paired
from vitlab.stats.power import paired_power, sensitivity

FACTORS = {"norm": ["layer", "rms"], "depth": [2, 4, 6], "mlp": ["gelu", "relu"]}


def cells_of(scores, factors=FACTORS):
    """`scores` [n, levels of each factor…] as cells."""
    flat = scores.reshape(len(scores), -1)
    return {levels: dict(enumerate(flat[:, i])) for i, levels in enumerate(itertools.product(*factors.values()))}


def effect_of(result, *names):
    (found,) = [effect for effect in result.effects if effect.factors == names]
    return found


def test_planted_effects_are_found_exactly(whole, draw):
    """No noise but the seeds': main effects and one interaction, in the metric's units."""
    norm, depth, mlp = np.array([0, 2.0]), np.array([0, 1.0, 4.0]), np.array([0, -3.0])
    both = np.array([[0, 0, 0], [0, 0.5, -1.5]])  # of norm and depth, beyond what each does
    scores = draw(5)[:, None, None, None] + norm[:, None, None] + depth[:, None] + mlp + both[:, :, None]
    result = whole(factorial(FACTORS, cells_of(scores)))
    assert [e.factors for e in result.effects] == [
        *(("norm",), ("depth",), ("mlp",)),
        *(("norm", "depth"), ("norm", "mlp"), ("depth", "mlp")),
    ]
    means = {effect.factors: [contrast.mean for contrast in effect.contrasts] for effect in result.effects}
    assert means["norm",] == pytest.approx([2.0 + (0.5 - 1.5) / 3], rel=1e-12)
    assert means["depth",] == pytest.approx([1.0 + 0.5 / 2, 4.0 - 1.5 / 2], rel=1e-12)
    assert means["mlp",] == pytest.approx([-3.0], rel=1e-12)
    assert means["norm", "depth"] == pytest.approx([0.5, -1.5], rel=1e-12)
    assert means["norm", "mlp"] == [0.0]
    assert means["depth", "mlp"] == [0.0, 0.0]
    # Every seed shows the same: an effect without spread is no test, and no effect without spread is p = 1
    assert effect_of(result, "norm").p is None
    assert effect_of(result, "norm", "mlp").p == 1.0


def test_contrasts_say_their_levels(draw):
    result = factorial(FACTORS, cells_of(draw(3, 2, 3, 2)))
    assert [(c.levels, c.references) for c in effect_of(result, "depth").contrasts] == [((4,), (2,)), ((6,), (2,))]
    assert [(c.levels, c.references) for c in effect_of(result, "norm", "depth").contrasts] == [
        (("rms", 4), ("layer", 2)),
        (("rms", 6), ("layer", 2)),
    ]


def test_one_factor_is_the_paired_comparison(whole, draw):
    factors = {"norm": ["layer", "rms"]}
    scores = draw(6, 2)
    (effect,) = whole(factorial(factors, cells_of(scores, factors), level=0.9)).effects
    (contrast,) = effect.contrasts
    pair = paired(dict(enumerate(scores[:, 0])), dict(enumerate(scores[:, 1])), level=0.9, resamples=0)
    for name in ("mean", "std", "t_interval", "t", "p"):
        assert getattr(contrast, name) == getattr(pair, name)
    assert effect.f == pytest.approx(contrast.t**2, rel=1e-10)
    assert (effect.p, effect.p_holm) == pytest.approx((contrast.p, contrast.p), rel=1e-10)
    assert contrast.smallest_effect == sensitivity(pair, comparisons=1).smallest_effect


def test_interaction_is_a_difference_of_differences_by_hand(whole):
    # Seed 0: (9 - 4) - (3 - 1) = 3; seed 1: (8 - 5) - (2 - 0) = 1: mean 2, s = √2, t = 2/(√2/√2) = 2
    factors = {"a": [0, 1], "b": [0, 1]}
    cells = {(0, 0): {0: 1, 1: 0}, (1, 0): {0: 3, 1: 2}, (0, 1): {0: 4, 1: 5}, (1, 1): {0: 9, 1: 8}}
    (contrast,) = effect_of(whole(factorial(factors, cells)), "a", "b").contrasts
    assert (contrast.mean, contrast.std, contrast.t) == pytest.approx((2.0, 2**0.5, 2.0), rel=1e-12)
    # Main effect of a: seed 0: (2 + 5)/2 = 3.5, seed 1: (2 + 3)/2 = 2.5
    (contrast,) = effect_of(factorial(factors, cells), "a").contrasts
    assert (contrast.mean, contrast.std) == pytest.approx((3.0, 0.5**0.5), rel=1e-12)


@pytest.mark.peer
def test_f_equals_statsmodels_repeated_measures(draw):
    anova = pytest.importorskip("statsmodels.stats.anova")
    pandas = pytest.importorskip("pandas")
    scores = draw(5, 2, 3, 2) + draw(5, 1, 1, 1) + np.array([0, 0.5, 1.0])[:, None]
    result = factorial(FACTORS, cells_of(scores))
    rows = [
        {"seed": seed, **dict(zip(FACTORS, levels, strict=True)), "score": score}
        for levels, given in cells_of(scores).items()
        for seed, score in given.items()
    ]
    table = anova.AnovaRM(pandas.DataFrame(rows), "score", "seed", within=list(FACTORS)).fit().anova_table
    for effect in result.effects:
        row = table.loc[":".join(effect.factors)]
        assert effect.f == pytest.approx(row["F Value"], rel=1e-8)
        assert (effect.df, effect.df_error) == (row["Num DF"], row["Den DF"])
        uncorrected = stats.f.sf(effect.f, effect.df, effect.df_error)
        assert uncorrected == pytest.approx(row["Pr > F"], rel=1e-8)
        if effect.df == 1:
            assert effect.p == pytest.approx(uncorrected, rel=1e-10)


def test_epsilon_by_its_definition_and_its_bounds(draw):
    """Greenhouse and Geisser's ε from orthonormal contrasts; between 1/df and 1."""
    factors = {"depth": [2, 4, 6, 8]}
    scores = draw(7, 4) * [1, 1, 2, 5]
    (effect,) = factorial(factors, cells_of(scores, factors)).effects
    contrasts = np.array([[1, -1, 0, 0], [1, 1, -2, 0], [1, 1, 1, -3]]) / np.sqrt([[2], [6], [12]])
    covariance = np.cov(scores @ contrasts.T, rowvar=False)
    eigenvalues = np.linalg.eigvalsh(covariance)
    assert effect.epsilon == pytest.approx(eigenvalues.sum() ** 2 / (3 * (eigenvalues**2).sum()), rel=1e-10)
    assert 1 / 3 < effect.epsilon < 1
    assert effect.p == pytest.approx(stats.f.sf(effect.f, 3 * effect.epsilon, 18 * effect.epsilon), rel=1e-12)


@pytest.mark.slow
def test_uneven_effects_over_seeds_keep_their_error_rate():
    """Planted: no effect, one level far noisier than the others; 6 seeds."""
    factors = {"depth": [2, 4, 6, 8]}
    scores = np.random.default_rng(2).normal(size=(1_500, 6, 4)) * [0.1, 0.1, 0.1, 3.0]
    effects = [factorial(factors, cells_of(each, factors)).effects[0] for each in scores]
    assert np.mean([effect.p <= 0.05 for effect in effects]) <= 0.06
    assert np.mean([stats.f.sf(effect.f, 3, 15) <= 0.05 for effect in effects]) > 0.08  # what ε is there for


def test_holm_goes_over_the_effects(whole, draw):
    result = whole(factorial(FACTORS, cells_of(draw(4, 2, 3, 2))))
    assert tuple(effect.p_holm for effect in result.effects) == holm([effect.p for effect in result.effects])
    for contrast in itertools.chain.from_iterable(effect.contrasts for effect in result.effects):
        assert paired_power(contrast.smallest_effect / contrast.std, 4, 0.05 / 6) == pytest.approx(0.8)


def test_seeds_that_some_cell_lacks_are_left_out_and_reported(whole, draw):
    scores = draw(5, 2, 3, 2)
    cells = cells_of(scores)
    del cells["rms", 4, "relu"][1]
    cells["layer", 2, "gelu"][9] = 0.5
    result = whole(factorial(FACTORS, cells))
    assert (result.seeds, result.left_out) == ((0, 2, 3, 4), (1, 9))
    same = factorial(FACTORS, cells_of(scores[[0, 2, 3, 4]]))
    assert result.effects == same.effects


def test_one_seed_has_effects_and_no_test(whole, draw):
    result = whole(factorial(FACTORS, cells_of(draw(1, 2, 3, 2))))
    assert {effect.reasons["p"] for effect in result.effects} == {"1 seed has no spread"}
    without = {"std", "t_interval", "t", "p", "smallest_effect"}
    assert all(set(c.reasons) == without for effect in result.effects for c in effect.contrasts)


@pytest.mark.parametrize(
    ("factors", "says"),
    [({}, "one factor at least"), ({"norm": ["layer"]}, "norm=.*two levels"), ({"depth": [2, 2]}, "all different")],
)
def test_factors_that_are_none_are_refused(factors, says):
    with pytest.raises(UserError, match=says):
        factorial(factors, {})


def test_what_is_no_full_factorial_is_refused(draw):
    cells = cells_of(draw(3, 2, 3, 2))
    fewer = {key: value for key, value in cells.items() if key != ("rms", 4, "relu")}
    with pytest.raises(UserError, match=r"no scores of norm=rms, depth=4, mlp=relu \(1 cells missing\)"):
        factorial(FACTORS, fewer)
    with pytest.raises(UserError, match="unknown cell 'norm=rms, depth=5, mlp=relu'"):
        factorial(FACTORS, cells | {("rms", 5, "relu"): {0: 1.0}})
    with pytest.raises(UserError, match="unknown cell"):
        factorial(FACTORS, cells | {"rms": {0: 1.0}})
    with pytest.raises(UserError, match="no seed has a score in every cell"):
        factorial(FACTORS, cells | {("rms", 4, "relu"): {}})
    with pytest.raises(UserError, match="norm=rms, depth=4, mlp=relu: the score of seed 0 is nan"):
        factorial(FACTORS, cells | {("rms", 4, "relu"): {0: float("nan")}})
