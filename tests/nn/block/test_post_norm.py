import pytest
import torch

from vitlab.nn.block import post_norm
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("layer_scale", [None, 0.1])
def test_it_normalises_after_every_addition(layer_scale, tiny_dims, normal, randomise):
    block, x = randomise(post_norm.Spec().build(tiny_dims(layer_scale=layer_scale))), normal(2, 7, 16)
    first, second = (1.0, 1.0) if layer_scale is None else (block.ls1.gamma, block.ls2.gamma)
    a = block.norm1(x + first * block.attn(x, PosEmbed()))
    y = block.norm2(a + second * block.mlp(a))
    torch.testing.assert_close(block(x, PosEmbed()), y, rtol=0, atol=1e-12)


def test_its_output_is_normalised(tiny_dims, normal):
    y = post_norm.Spec().build(tiny_dims())(normal(2, 7, 16), PosEmbed())
    torch.testing.assert_close(y.mean(-1), torch.zeros(2, 7), rtol=0, atol=1e-12)
    torch.testing.assert_close(y.var(-1, correction=0), torch.ones(2, 7), rtol=0, atol=1e-4)
