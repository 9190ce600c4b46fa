"""AugReg's levels against the paper's table."""

import pytest

from vitlab.models.vit import build
from vitlab.recipes import recipe
from vitlab.recipes.augreg import VARIANTS

TABLE = {  # RandAugment's layers and magnitude, Mixup's α
    "light1": (2, 0, 0.0),
    "light2": (2, 10, 0.2),
    "medium1": (2, 15, 0.2),
    "medium2": (2, 15, 0.5),
    "strong1": (2, 20, 0.5),
    "strong2": (2, 20, 0.8),
}


@pytest.mark.parametrize("level", TABLE)
@pytest.mark.parametrize("regulariser", ["", "_reg"])
def test_levels(level, regulariser):
    spec = recipe(f"augreg:{level}{regulariser}")
    crop, flip, policy, *mix = spec.augment
    layers, magnitude, mixup = TABLE[level]
    assert (crop.name, crop.scale, flip.name) == ("original_crop", (0.05, 1.0), "flip")
    assert (policy.name, policy.num_ops, policy.magnitude, policy.scale) == ("rand_augment", layers, magnitude, 10)
    assert policy.space == "google"
    assert [(op.mixup_alpha, op.cutmix_alpha, op.prob) for op in mix] == ([(mixup, 0, 1)] if mixup else [])
    model = spec.model
    rates = {model.embed_dropout, model.mixer_dropout, model.mlp_dropout, model.drop_path}
    assert rates == {0.1 if regulariser else 0.0}


def test_without_a_level_there_is_neither():
    plain, regularised = recipe("augreg"), recipe("augreg:none_reg")
    assert [op.name for op in plain.augment] == ["original_crop", "flip"] == [op.name for op in regularised.augment]
    assert (plain.model.drop_path, regularised.model.drop_path) == (0.0, 0.1)
    assert len(VARIANTS) == 2 * 7 - 1


def test_training():
    spec = recipe("augreg:medium1")
    optim = spec.optim
    assert (optim.optimizer.name, optim.lr, optim.weight_decay, optim.decay_on) == ("adamw", 1e-3, 0.1, "kernels")
    assert (spec.task.loss, spec.model.init.head_bias) == ("sigmoid", -6.9)
    assert build(spec.model).head.bias.unique().tolist() == pytest.approx([-6.9])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["augreg", "augreg:strong2_reg"])
def test_two_steps_of_small_pictures(two_small_steps, name):
    assert two_small_steps(name)["images_seen"] == 8
