"""R3's recipe against its written description."""

import pytest

from vitlab.models.spec import preset
from vitlab.recipes import recipe

NAMES = ["vit", "vitl", "vitx"]


def test_training():
    spec = recipe("r3_cifar10")
    optim = spec.optim
    assert (optim.optimizer.name, optim.lr, optim.weight_decay) == ("adamw", 1e-3, 1e-4)
    assert (spec.batch_size, spec.epochs, spec.task.label_smoothing) == (128, 40, 0.1)
    assert (spec.data.mean, spec.data.std) == ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
    assert (spec.val_fraction, spec.test_every_epoch) == (0.0, True)


def test_rates_by_hand():
    """One rate an epoch, on half a cosine from 1e-3 to a hundredth of it."""
    optim, epoch, steps = recipe("r3_cifar10").optim, 50_000 / 128, 15_625
    rates = [optim.schedule.lr(optim.lr, step, steps, epoch) for step in range(steps)]
    assert rates[0] == rates[390] == 1e-3
    assert rates[391] < 1e-3
    assert rates[20 * 391] == pytest.approx((1e-3 + 1e-5) / 2)
    assert len(set(rates)) == 40


def test_pictures():
    flip, resize, crop = recipe("r3_cifar10").augment
    assert (flip.name, resize.name, resize.size) == ("flip", "resize", (35, 35))
    assert (crop.name, crop.padding, crop.size, crop.fill) == ("crop", 4, (32, 32), "zero")


@pytest.mark.parametrize("name", NAMES)
def test_models(name):
    assert recipe(f"r3_cifar10:{name}").model == preset(f"r3_{name}")
    assert recipe("r3_cifar10") == recipe("r3_cifar10:vit")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit", "vitl", "vitx"])
def test_two_steps(two_steps, name):
    assert two_steps(recipe(f"r3_cifar10:{name}"))["images_seen"] == 8
