import pytest
import torch

from vitlab.nn.block import nanovit
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("layer_scale", [None, 0.1])
def test_the_second_residual_starts_from_the_normalised_tensor(layer_scale, tiny_dims, normal, randomise):
    block, x = randomise(nanovit.Spec().build(tiny_dims(layer_scale=layer_scale))), normal(2, 7, 16)
    first, second = (1.0, 1.0) if layer_scale is None else (block.ls1.gamma, block.ls2.gamma)
    a = x + first * block.attn(block.norm1(x), PosEmbed())
    b = block.norm2(a)
    torch.testing.assert_close(block(x, PosEmbed()), b + second * block.mlp(b), rtol=0, atol=1e-12)


def test_without_branches_a_block_normalises(tiny_dims, normal):
    """By hand: both branches are zero as built, so y is x's layer norm."""
    block, x = nanovit.Spec().build(tiny_dims()), normal(2, 7, 16)
    for parameter in (*block.attn.parameters(), *block.mlp.parameters()):
        torch.nn.init.zeros_(parameter)
    expected = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-6).sqrt()
    torch.testing.assert_close(block(x, PosEmbed()), expected, rtol=0, atol=1e-12)
