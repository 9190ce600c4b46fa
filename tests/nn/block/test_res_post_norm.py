import pytest
import torch

from vitlab.nn.block import res_post_norm
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("layer_scale", [None, 0.1])
def test_what_each_branch_adds_is_normalised(layer_scale, tiny_dims, normal, randomise):
    block, x = randomise(res_post_norm.Spec().build(tiny_dims(layer_scale=layer_scale))), normal(2, 7, 16)
    first, second = (1.0, 1.0) if layer_scale is None else (block.ls1.gamma, block.ls2.gamma)
    a = x + first * block.norm1(block.attn(x, PosEmbed()))
    y = a + second * block.norm2(block.mlp(a))
    torch.testing.assert_close(block(x, PosEmbed()), y, rtol=0, atol=1e-12)


@pytest.mark.peer
def test_it_is_timms_with_the_same_weights(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.vision_transformer")
    theirs = randomise(timm.ResPostBlock(16, num_heads=2, mlp_ratio=2.0, qkv_bias=True))
    theirs.norm1.eps = theirs.norm2.eps = 1e-6
    ours, x = res_post_norm.Spec().build(tiny_dims()), normal(2, 7, 16)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-12)
