"""What parts add to a logit adds up to it, and is what removing them straight from the sum would take away."""

import pytest
import torch

from vitlab.base.errors import UserError
from vitlab.interpret.activations import capture
from vitlab.interpret.logits import logit_attribution, logit_lens
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")
ADDING = ["pre_norm", "sandwich", "res_post_norm", "parallel", "parallel_things"]


@pytest.fixture
def images(normal):
    return normal(3, 3, 8, 12)


@pytest.mark.parametrize("block", [*ADDING, {"name": "parallel", "joint": True}])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"pool": "mean", "final_norm": "after_pool", "num_registers": 2},
        {"layer_scale": 0.3, "norm": "rms", "qk_norm": True, "scale_attn_norm": True, "scale_mlp_norm": True},
        {"pos_embed": {"name": "sincos2d", "place": "every_layer"}, "norm_pre": True},
        {"mixer": "differential", "pool": "cls_mean"},
        {"mixer": "pooling", "pool": "mean_logits"},
        {"attention": "linear", "pos_embed": "rope2d", "mlp": "swiglu", "dist_token": True},
    ],
)
def test_parts_add_up_to_the_logit(block, changed, tiny_spec, randomise, images):
    if "linear" in changed.values():
        changed = {**changed, "pos_embed": "learned"}
    model = randomise(ViT(tiny_spec(**{"block": block, "cls_token": True, **changed})))
    found = logit_attribution(model, images, classes=[0, 3, 1])
    logits = model(images).detach()
    torch.testing.assert_close(found.logits, logits[range(3), [0, 3, 1]], rtol=0, atol=1e-10)
    torch.testing.assert_close(found.values.sum(1), found.logits, rtol=0, atol=1e-10)
    assert found.values.shape == (3, len(found.parts))


def test_every_head_and_every_mlp_is_a_part(tiny_spec, randomise, images):
    found = logit_attribution(randomise(ViT(tiny_spec())), images)
    expected = ["embed"]
    for index in range(2):
        expected += [f"blocks.{index}.attn.z.0", f"blocks.{index}.attn.z.1", f"blocks.{index}.mlp"]
    assert list(found.parts) == [*expected, "bias"]


def test_a_heads_part_is_what_the_projection_makes_of_it(tiny_spec, randomise, images):
    """By hand: W_o of one head on its z, through the last norm with its divisor fixed, to a row of the classifier."""
    model = randomise(ViT(tiny_spec(pool="cls")))
    found = logit_attribution(model, images, classes=[2, 2, 2])
    z = capture(model, images, "blocks.0.attn.z")["blocks.0.attn.z"][:, 1, 0]
    added = z @ model.blocks[0].attn.proj.weight[:, 8:16].T
    stream = capture(model, images, "blocks.1")["blocks.1"][:, 0]
    divisor = (stream.var(-1, correction=0, keepdim=True) + model.norm.eps).sqrt()
    read = (added - added.mean(-1, keepdim=True)) / divisor * model.norm.weight
    by_hand = read @ model.head.weight[2]
    torch.testing.assert_close(found.values[:, found.parts.index("blocks.0.attn.z.1")], by_hand, rtol=0, atol=1e-12)


@pytest.mark.parametrize("block", ["post_norm", "nanovit"])
def test_a_block_that_does_more_than_add_is_refused_by_name(block, tiny_spec, images):
    with pytest.raises(UserError, match=f"block={block} does more than add"):
        logit_attribution(ViT(tiny_spec(block=block)), images)


@pytest.mark.parametrize("changed", [{"pool": "attention"}, {"head": "cosine"}, {"norm": "tanh"}])
def test_what_bends_on_the_way_to_the_logit_is_refused_by_name(changed, tiny_spec, randomise, images):
    ((part, name),) = changed.items()
    with pytest.raises(UserError, match=f"{part}={name}.*bent on its way"):
        logit_attribution(randomise(ViT(tiny_spec(**changed))), images)


@pytest.mark.parametrize("block", ["pre_norm", "post_norm"])
def test_the_lens_ends_with_the_models_own_logits(block, tiny_spec, randomise, images):
    model = randomise(ViT(tiny_spec(block=block, num_registers=1)))
    seen = logit_lens(model, images)
    assert seen.shape == (3, 3, 5)
    torch.testing.assert_close(seen[-1], model(images).detach(), rtol=0, atol=1e-12)
    embedded = model.embed(model.patches(images).patches)
    torch.testing.assert_close(seen[0], model.classify(model.norm(embedded)).detach(), rtol=0, atol=1e-12)
