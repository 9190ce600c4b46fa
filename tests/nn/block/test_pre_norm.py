import pytest
import torch

from vitlab.nn.block import pre_norm
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("layer_scale", [None, 0.1])
def test_it_is_the_paper_s_equations_2_and_3(layer_scale, tiny_dims, normal, randomise):
    block, x = randomise(pre_norm.Spec().build(tiny_dims(layer_scale=layer_scale))), normal(2, 7, 16)
    first, second = (1.0, 1.0) if layer_scale is None else (block.ls1.gamma, block.ls2.gamma)
    a = x + first * block.attn(block.norm1(x), PosEmbed())
    y = a + second * block.mlp(block.norm2(a))
    torch.testing.assert_close(block(x, PosEmbed()), y, rtol=0, atol=1e-12)


def test_layer_scale_starts_where_it_is_told(tiny_dims):
    block = pre_norm.Spec().build(tiny_dims(layer_scale=0.1))
    assert block.ls1.gamma.tolist() == block.ls2.gamma.tolist() == [0.1] * 16


def test_a_dropped_block_is_the_identity(tiny_dims, normal, randomise):
    from dataclasses import replace

    from vitlab.rng import sample_keys

    dims = replace(tiny_dims(drop_path=0.5), layer=1)
    block, x = randomise(pre_norm.Spec().build(dims)), normal(64, 7, 16)
    keys = sample_keys(torch.tensor([0]), torch.arange(64))[0]
    same = (block(x, PosEmbed(), keys) == x).flatten(1).all(dim=1)
    assert 5 < same.sum() < 28  # both branches dropped: a quarter
