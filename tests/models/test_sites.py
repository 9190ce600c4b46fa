"""Standing around what a model calls: seeing, replacing, and leaving it as it was."""

import pytest
import torch

from vitlab.models.sites import sites, wrap, wrapped
from vitlab.models.vit import ViT


@pytest.fixture
def model(tiny_spec, randomise):
    return randomise(ViT(tiny_spec(cls_token=True)))


def passing(seen, name):
    """A wrapper that notes the call and changes nothing."""

    def look(call, *arguments):
        seen.append(name)
        return call(*arguments)

    return look


def test_sites_are_the_models_children_its_blocks_and_theirs(model):
    named = sites(model)
    assert {"patch_embed", "pos_embed", "blocks.0", "blocks.1.attn", "blocks.1.norm2", "norm", "head"} <= named.keys()
    assert all(module is model.get_submodule(path) for path, module in named.items())
    assert "blocks" not in named
    assert not [path for path in named if path.startswith("blocks.2")]


def test_one_sees_what_is_called_in_its_order_and_changes_nothing(model, normal):
    seen, images = [], normal(2, 3, 8, 12)
    before = model(images)
    paths = ["blocks.1", "patch_embed", "blocks.0.mlp", "head", "blocks.1.attn"]
    with wrapped((sites(model)[path], passing(seen, path)) for path in paths):
        assert torch.equal(model(images), before)
    assert seen == ["patch_embed", "blocks.0.mlp", "blocks.1", "blocks.1.attn", "head"]
    model(images)
    assert len(seen) == 5


def test_what_a_wrapper_returns_is_what_the_model_goes_on_with(model, normal):
    """Without attention and MLP a block of norms first is the identity."""
    images = normal(2, 3, 8, 12)
    parts = [sites(model)[f"blocks.{index}.{name}"] for index in range(2) for name in ("attn", "mlp")]
    with wrapped((part, lambda call, x, *rest: torch.zeros_like(x)) for part in parts):
        encoded = model.forward_features(images)
    tokens = model.embed(model.patches(images).patches)
    torch.testing.assert_close(encoded, model.norm(tokens), rtol=0, atol=0)


def test_an_exception_leaves_the_model_as_it_was(model, normal):
    images = normal(2, 3, 8, 12)
    before = model(images)

    def stumble(call, *arguments):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), wrapped([(model.blocks[0], passing([], "")), (model.blocks[1], stumble)]):
        model(images)
    assert torch.equal(model(images), before)
    assert not any("forward" in vars(module) for module in model.modules())


def test_wrappers_stand_around_each_other_the_last_outermost(model, normal):
    seen, block = [], model.blocks[0]
    inner, outer = (wrap(block, passing(seen, name)) for name in ("inner", "outer"))
    model(normal(1, 3, 8, 12))
    outer()
    model(normal(1, 3, 8, 12))
    inner()
    model(normal(1, 3, 8, 12))
    assert seen == ["outer", "inner", "inner"]


def test_other_methods_than_the_forward(model, normal):
    seen = []
    unwrap = wrap(model.pos_embed, passing(seen, "add"), "add")
    model(normal(1, 3, 8, 12))
    unwrap()
    model(normal(1, 3, 8, 12))
    assert seen == ["add"]
