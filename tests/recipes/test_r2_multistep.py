"""R2's recipe (a) against its written description."""

import pytest

from vitlab.models.cost import num_params
from vitlab.recipes import recipe
from vitlab.recipes.r2_multistep import VARIANTS


def test_training():
    spec = recipe("r2_multistep")
    optim = spec.optim
    assert (optim.optimizer.name, optim.optimizer.momentum, optim.weight_decay) == ("sgd", 0.95, 5e-4)
    assert (optim.lr, optim.backbone_lr) == (3e-4, 3e-5)
    assert (spec.batch_size, spec.epochs, spec.val_fraction) == (32, 50, 0.0)
    assert num_params(spec.model) == 85_806_346


def test_rates_by_hand():
    """A tenth from epoch 17 on, a hundredth from epoch 33."""
    optim, epoch = recipe("r2_multistep").optim, 50_000 / 32
    rates = [optim.schedule.lr(optim.lr, int(at * epoch) + 1, int(50 * epoch), epoch) for at in (0, 16.9, 17, 32.9, 33)]
    assert rates == pytest.approx([3e-4, 3e-4, 3e-5, 3e-5, 3e-6])


def test_pictures():
    spec = recipe("r2_multistep")
    resize, crop, flip = spec.augment
    assert (resize.name, resize.size, flip.name) == ("resize", (224, 224), "flip")
    assert (crop.name, crop.padding, crop.fill) == ("crop", 4, "reflect")


@pytest.mark.parametrize("name", VARIANTS)
def test_every_model_has_dropout_and_its_set(name):
    spec = recipe(f"r2_multistep:{name}")
    assert spec.model.embed_dropout == spec.model.mixer_dropout == spec.model.mlp_dropout == 0.1
    assert spec.data.name == name.rpartition("_")[2]
    assert spec.model.num_classes == spec.data.num_classes
    size = (384, 384) if name.startswith("384_") else (224, 224)
    assert spec.model.img_size == spec.augment[0].size == spec.preprocess[0].size == size


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r2_multistep", "r2_multistep:r50_b16_cifar100"])
def test_two_steps_of_small_pictures(two_small_steps, name):
    assert two_small_steps(name)["images_seen"] == 8
