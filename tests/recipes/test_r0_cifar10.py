"""R0's recipe against its written description: 100 "epochs" of 150,000 samples, ten of them warm-up."""

from dataclasses import replace

import pytest

from vitlab.models.spec import preset
from vitlab.models.vit import build
from vitlab.recipes import changed, recipe
from vitlab.recipes.r0_cifar10 import VARIANTS


def test_length():
    """100 epochs of three passes in batches of 128 that drop the rest: 1,172 steps an epoch."""
    spec = recipe("r0_cifar10")
    assert spec.steps == 100 * (150_000 // 128 + 1) == 117_200
    assert spec.batch_size == 128
    assert spec.steps * spec.batch_size == pytest.approx(15_000_000, rel=2e-4)


def test_optimiser():
    optim = recipe("r0_cifar10").optim
    assert (optim.optimizer.name, optim.optimizer.beta1, optim.optimizer.beta2) == ("adamw", 0.9, 0.999)
    assert (optim.lr, optim.weight_decay, optim.decay_on, optim.clip_norm) == (1e-3, 0.05, "all", None)


def test_rates_by_hand():
    """From 1e-5 to 1e-3 over ten epochs of a hundred, half a cosine back to 1e-5."""
    spec = recipe("r0_cifar10")
    steps = spec.steps
    rate = [spec.optim.schedule.lr(spec.optim.lr, step, steps, 50_000 / 128) for step in range(steps)]
    assert rate[0] == 1e-5
    assert rate[5_860] == pytest.approx((1e-5 + 1e-3) / 2)
    assert rate[11_720] == max(rate) == 1e-3
    assert rate[11_720 + 52_740] == pytest.approx((1e-5 + 1e-3) / 2)
    assert rate[-1] == pytest.approx(1e-5, rel=1e-3)


def test_augmentation_and_loss():
    spec = recipe("r0_cifar10")
    crop, flip, policy, erase, mix = spec.augment
    assert (policy.name, policy.policy, policy.fill, policy.rotate_sign) == ("auto_augment", "cifar10", 128, False)
    assert (crop.name, crop.padding, crop.fill) == ("crop", 4, "zero")
    assert (flip.name, flip.p) == ("flip", 0.5)
    assert (erase.name, erase.p, erase.area, erase.aspect) == ("erase", 0.25, (0.02, 0.4), (0.3, 3.3))
    assert erase.value == "mean_raw"
    assert (mix.name, mix.prob, mix.switch, mix.per) == ("mix", 0.5, 0.5, "batch")
    assert (mix.cutmix_alpha, mix.mixup_alpha) == (1.0, 0.8)
    assert (spec.task.loss, spec.task.label_smoothing) == ("softmax", 0.1)
    assert (spec.data.mean, spec.data.std) == ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))


def test_all_images_and_the_last_step():
    """The published rows are the best test epoch; ours is not selected on anything."""
    spec = recipe("r0_cifar10")
    assert (spec.val_fraction, spec.weights, spec.test_every_epoch) == (0.0, "last", False)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        *(("r0_vit", 2_692_426), ("r0_tomvit", 2_679_370), ("r0_ttt", 2_692_426), ("r0_ttf", 2_679_946)),
        *(("r0_tft", 2_692_042), ("r0_tff", 2_679_562), ("r0_ftt", 2_692_042), ("r0_ftf", 2_679_754)),
        *(("r0_fft", 2_691_658), ("r0_fff", 2_679_370), ("r0_spt", 2_729_770), ("r0_sl", 2_729_878)),
    ],
)
def test_models(model, parameters):
    spec = changed(recipe("r0_cifar10"), {"model": model}).model
    assert (spec.embed_dim, spec.depth, spec.num_heads, spec.drop_path) == (192, 9, 12, 0.0)
    assert sum(parameter.numel() for parameter in build(spec).parameters()) == parameters


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_its_preset_and_only_auto_encoders_have_stochastic_depth(name):
    spec = recipe(f"r0_cifar10:{name}")
    assert spec.model == replace(preset(VARIANTS[name]["model"]), drop_path=0.1 if "_ae" in name else 0.0)
    assert replace(spec, model=recipe("r0_cifar10").model) == recipe("r0_cifar10")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sl", "gpsa", "vaswani", "tomvit_ae", "tomvit_ae_xavier"])
def test_two_steps_of_a_variant(two_steps, name):
    assert two_steps(recipe(f"r0_cifar10:{name}"))["steps"] == 2


@pytest.mark.parametrize("model", ["r0_vit", pytest.param("r0_tomvit", marks=pytest.mark.slow)])
def test_two_steps(two_steps, model):
    assert two_steps(changed(recipe("r0_cifar10"), {"model": model}))["steps"] == 2
