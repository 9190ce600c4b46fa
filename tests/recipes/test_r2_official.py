"""R2's official fine-tuning against its written description."""

from dataclasses import replace

import pytest

from vitlab.models.spec import preset
from vitlab.nn.init import jax
from vitlab.nn.mlp import gelu
from vitlab.recipes import recipe
from vitlab.recipes.r2_official import VARIANTS

MODELS = {"b16": "B/16", "b32": "B/32", "l16": "L/16", "l32": "L/32", "r50_b16": "R50+B/16", "r50_l32": "R50+L/32"}


def test_training():
    spec = recipe("r2_official")
    optim = spec.optim
    assert (optim.optimizer.name, optim.optimizer.momentum, optim.optimizer.nesterov) == ("sgd", 0.9, False)
    assert (spec.batch_size, optim.weight_decay, optim.clip_norm) == (512, 0.0, 1.0)
    assert (optim.schedule.name, optim.schedule.warmup_steps, optim.schedule.min_lr) == ("cosine", 500, 0.0)


def test_pictures():
    spec = recipe("r2_official")
    window, flip = spec.augment
    assert (window.name, window.size, window.scale, flip.name) == ("original_crop", (384, 384), (0.05, 1.0), "flip")
    assert [(op.name, op.size) for op in spec.preprocess] == [("resize", (384, 384))]


@pytest.mark.parametrize("name", ["b16_cifar10", *VARIANTS])
def test_every_model_on_every_set(name):
    spec = recipe("r2_official" if name == "b16_cifar10" else f"r2_official:{name}")
    model, _, data = name.removesuffix("_dropout").rpartition("_")
    dropout = 0.1 if name.endswith("_dropout") else 0.0
    classes = {"cifar10": 10, "cifar100": 100, "imagenet": 1000}[data]
    assert spec.model == replace(
        preset(f"{MODELS[model]}@384:{classes}"),
        init=jax.Spec(),
        mlp=gelu.Spec(approximate="tanh"),
        embed_dropout=dropout,
        mixer_dropout=dropout,
        mlp_dropout=dropout,
    )
    assert spec.model.init.zero_head
    assert (spec.data.name, spec.data.num_classes) == ("imagenet1k" if data == "imagenet" else data, classes)
    assert spec.data.mean == spec.data.std == (0.5, 0.5, 0.5)
    assert spec.steps == (20_000 if data == "imagenet" else 10_000)
    assert spec.optim.lr == (0.01 if name.startswith("b16_cifar10_") or name == "b16_cifar10" else 0.03)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r2_official", "r2_official:b32_imagenet", "r2_official:r50_b16_cifar10"])
def test_two_steps_of_small_pictures(two_small_steps, name):
    assert two_small_steps(name)["images_seen"] == 8
