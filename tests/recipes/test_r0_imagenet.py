"""R0's ImageNet row against its written description."""

import math

import pytest

from vitlab.models.cost import cost
from vitlab.recipes import recipe


@pytest.mark.slow
def test_model_and_length():
    spec = recipe("r0_imagenet")
    assert cost(spec.model).num_params == 86_540_008
    assert (spec.batch_size, spec.epochs, spec.repeats) == (256, 310, 3)
    assert math.ceil(310 * 3 * 1_281_167 / 256) == 4_654_240


def test_pictures():
    spec = recipe("r0_imagenet")
    assert [op.name for op in spec.augment] == ["crop", "flip", "auto_augment", "erase"]
    crop, _, policy, erase = spec.augment
    assert (spec.data.img_size, crop.padding, crop.size) == ((256, 256), 4, (224, 224))
    assert (policy.policy, policy.fill, policy.rotate_sign) == ("imagenet", 128, False)
    assert erase.p == 0.25
    assert [(op.name, op.size) for op in spec.preprocess] == [("center_crop", (224, 224))]


def test_rates():
    optim = recipe("r0_imagenet").optim
    assert (optim.lr, optim.weight_decay, optim.decay_on) == (1e-3, 0.05, "all")
    schedule = optim.schedule
    assert (schedule.name, schedule.warmup_epochs, schedule.warmup_lr, schedule.min_lr) == ("cosine", 10, 1e-5, 1e-5)


@pytest.mark.slow
def test_two_steps_of_small_pictures(two_small_steps):
    assert two_small_steps("r0_imagenet")["images_seen"] == 8
