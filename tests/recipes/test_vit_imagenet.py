"""The ViT paper's Table 3, its ImageNet row."""

from dataclasses import replace

import pytest

from vitlab.models.cost import cost
from vitlab.optim.update import gsam, plain
from vitlab.recipes import recipe
from vitlab.recipes.vit_imagenet import VARIANTS


@pytest.mark.slow
def test_table_3():
    spec = recipe("vit_imagenet")
    assert cost(spec.model).num_params == 86_567_656
    assert (spec.batch_size, spec.epochs) == (4096, 300)
    optim = spec.optim
    assert (optim.optimizer.name, optim.optimizer.beta1, optim.optimizer.beta2) == ("adamw", 0.9, 0.999)
    assert (optim.lr, optim.weight_decay, optim.clip_norm) == (3e-3, 0.3, 1.0)
    assert (optim.schedule.name, optim.schedule.warmup_steps) == ("cosine", 10_000)
    assert spec.model.embed_dropout == spec.model.mixer_dropout == spec.model.mlp_dropout == 0.1


@pytest.mark.parametrize("name", [name for name in VARIANTS if not name.startswith(("adamw", "gsam"))])
def test_another_model_of_the_paper_is_trained_as_the_first(name):
    spec, base = recipe(f"vit_imagenet:{name}"), recipe("vit_imagenet")
    assert spec.model.embed_dropout == spec.model.mixer_dropout == spec.model.mlp_dropout == 0.1
    assert spec.model.init == base.model.init
    rate = {"pool_cls": 8e-4, "pool_mean": 8e-4, "pool_mean_slow": 3e-4}.get(name, base.optim.lr)
    assert replace(spec, model=base.model) == replace(base, optim=replace(base.optim, lr=rate))


def test_positions_at_the_stem_are_the_recipe_itself():
    assert recipe("vit_imagenet:pos_1d") == recipe("vit_imagenet")


@pytest.mark.parametrize("size", ["s32", "s16", "b32", "b16"])
def test_gsams_comparison(size):
    spec = recipe(f"vit_imagenet:adamw_{size}")
    assert (spec.model.pool.name, spec.model.cls_token, spec.task.loss) == ("mean", False, "sigmoid")
    assert (spec.batch_size, spec.epochs, spec.optim.lr, spec.optim.weight_decay) == (4096, 300, 3e-3, 0.3)
    assert (spec.optim.schedule.name, spec.optim.schedule.min_lr) == ("linear", 3e-5)
    assert spec.model.patch_size == (int(size[1:]), int(size[1:]))
    assert spec.optim.update == plain.Spec()


@pytest.mark.parametrize(
    ("size", "radii"),
    [("s32", (0.6, 0.0, 0.4)), ("s16", (0.6, 0.0, 1.0)), ("b32", (0.6, 0.1, 0.6)), ("b16", (0.6, 0.2, 0.4))],
)
def test_gsams_rows_differ_from_adamws_in_their_update(size, radii):
    ours, theirs = recipe(f"vit_imagenet:gsam_{size}"), recipe(f"vit_imagenet:adamw_{size}")
    assert ours.optim.update == gsam.Spec(*radii)
    assert replace(ours, optim=replace(ours.optim, update=plain.Spec())) == theirs


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_imagenet", "vit_imagenet:gsam_s32"])
def test_two_steps_of_small_pictures(two_small_steps, name):
    assert two_small_steps(name)["images_seen"] == 8
