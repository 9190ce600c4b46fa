import pytest

from vitlab.models.vit import build
from vitlab.recipes import recipe


def test_it_is_small_and_has_the_vit_paper_s_parts():
    model = recipe("digits_small").model
    assert (model.embed_dim, model.depth, model.cls_token) == (32, 2, True)
    assert (model.pos_embed.name, model.pool.name, model.block.name) == ("learned", "cls", "pre_norm")
    assert sum(parameter.numel() for parameter in build(model).parameters()) == 18_218


def test_twenty_passes_and_a_validation_split():
    spec = recipe("digits_small")
    trained = spec.data.num_train * (1 - spec.val_fraction)
    assert spec.steps * spec.batch_size / trained == pytest.approx(20, rel=0.02)


def test_two_steps(two_steps):
    assert two_steps(recipe("digits_small"))["images_seen"] == 8
