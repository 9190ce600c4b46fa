"""Effects of a full factorial as contrasts of its cells."""

import itertools

import numpy as np
import pytest

from vitlab.base.errors import UserError
from vitlab.stats.factorial import effects

FACTORS = {"norm": ["layer", "rms"], "depth": ["2", "4", "6"], "mlp": ["gelu", "relu"]}


def value_of(effect, means):
    """What an effect is, of the cells' means [levels of each factor …]."""
    flat = dict(zip(itertools.product(*FACTORS.values()), means.ravel(), strict=True))
    return sum(weight * flat[combination] for combination, weight in effect.weights.items())


def test_planted_effects_are_found_exactly():
    norm, depth, mlp = np.array([0, 2.0]), np.array([0, 1.0, 4.0]), np.array([0, -3.0])
    both = np.array([[0, 0, 0], [0, 0.5, -1.5]])  # of norm and depth, beyond what each does
    means = 7 + norm[:, None, None] + depth[:, None] + mlp + both[:, :, None]
    found = {(each.factors, each.levels): value_of(each, means) for each in effects(FACTORS)}
    assert found == {
        (("norm",), ("rms",)): pytest.approx(2.0 + (0.5 - 1.5) / 3),
        (("depth",), ("4",)): pytest.approx(1.0 + 0.5 / 2),
        (("depth",), ("6",)): pytest.approx(4.0 - 1.5 / 2),
        (("mlp",), ("relu",)): pytest.approx(-3.0),
        (("norm", "depth"), ("rms", "4")): pytest.approx(0.5),
        (("norm", "depth"), ("rms", "6")): pytest.approx(-1.5),
        (("norm", "mlp"), ("rms", "relu")): pytest.approx(0.0),
        (("depth", "mlp"), ("4", "relu")): pytest.approx(0.0),
        (("depth", "mlp"), ("6", "relu")): pytest.approx(0.0),
    }


def test_levels_are_told_with_their_references():
    of_depth = [each for each in effects(FACTORS) if each.factors == ("depth",)]
    assert [(each.levels, each.references) for each in of_depth] == [(("4",), ("2",)), (("6",), ("2",))]


def test_runs_of_a_main_effect_are_exchanged_within_every_combination_of_the_others():
    norm = next(effects(FACTORS))
    expected = [(("rms", d, m), ("layer", d, m)) for d in FACTORS["depth"] for m in FACTORS["mlp"]]
    assert list(norm.exchangeable) == expected
    assert all(each.exchangeable == () for each in effects(FACTORS) if len(each.factors) == 2)


def test_weights_sum_to_zero_and_to_one_on_each_side():
    for effect in effects(FACTORS):
        weights = list(effect.weights.values())
        assert sum(weights) == pytest.approx(0)
        assert sum(weight for weight in weights if weight > 0) == pytest.approx(len(effect.factors))


@pytest.mark.peer
def test_the_interaction_of_two_factors_is_statsmodels(draw):
    """Of a balanced 2 × 2, by ordinary least squares with treatment coding."""
    peer = pytest.importorskip("statsmodels.api")
    factors, scores = {"a": ["0", "1"], "b": ["0", "1"]}, draw(2, 2, 5)
    rows = [(1, a, b, a * b) for a in (0, 1) for b in (0, 1) for _ in range(5)]
    fitted = peer.OLS(scores.ravel(), np.array(rows, float)).fit().params
    means = dict(zip(itertools.product("01", "01"), scores.mean(axis=2).ravel(), strict=True))
    values = [sum(weight * means[key] for key, weight in each.weights.items()) for each in effects(factors)]
    main = fitted[1] + fitted[3] / 2, fitted[2] + fitted[3] / 2
    assert values == pytest.approx([*main, fitted[3]], rel=1e-9)


def test_a_factor_without_anything_to_compare_is_refused():
    with pytest.raises(UserError, match="two levels or more"):
        list(effects({"norm": ["layer"]}))
    with pytest.raises(UserError, match="two levels or more"):
        list(effects({"norm": ["layer", "layer"]}))
