"""R1's setting 1 against its written description, and the slips of its published run."""

import pytest

from vitlab.base.spec import with_settings
from vitlab.models.cost import cost
from vitlab.recipes import recipe


@pytest.mark.slow
def test_model():
    model = recipe("r1_scratch").model
    assert cost(model).num_params == 85_301_092
    assert (model.img_size, model.patch_size, model.dims().num_patches) == ((72, 72), (6, 6), 144)
    assert (model.embed_dim, model.depth, model.num_heads, model.dims().mlp_dim) == (768, 12, 12, 3072)
    assert model.embed_dropout == model.mixer_dropout == model.mlp_dropout == 0.1
    assert (model.init.token_std, model.init.position_std, model.init.position_cut) == (1.0, 1.0, False)


def test_training():
    spec = recipe("r1_scratch")
    assert (spec.optim.optimizer.name, spec.optim.lr, spec.optim.schedule.name) == ("adam", 1e-3, "constant")
    assert spec.optim.weight_decay == 0
    assert (spec.batch_size, spec.epochs, spec.val_fraction) == (16 * 16, 100, 0.0)
    enlarged, flip, rotate, window = spec.augment
    assert (enlarged.name, enlarged.size) == ("resize", (72, 72))
    assert (flip.name, rotate.name, rotate.degrees) == ("flip", "rotate", 0.02)
    assert (window.name, window.size, window.scale, window.ratio) == ("resized_crop", (72, 72), (0.8, 1), (1, 1))


def test_what_the_published_run_did_otherwise():
    right, published = recipe("r1_scratch"), recipe("r1_scratch:published")
    assert (published.data.mean, published.data.std) == ((0, 0, 0), (1, 1, 1))
    assert published.evaluate_with_dropout
    assert not right.evaluate_with_dropout
    assert published.steps == 100 * (50_000 // 256) == 19_500
    assert published.steps * 256 == 100 * (50_000 - 50_000 % 256)
    assert published.model == right.model
    assert published.optim == right.optim


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r1_scratch", "r1_scratch:published"])
def test_two_steps(two_steps, name):
    """Two of its twelve blocks, which are alike."""
    assert two_steps(with_settings(recipe(name), {"model.depth": 2}))["steps"] == 2
