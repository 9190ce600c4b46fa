from dataclasses import replace

import pytest
import torch

from vitlab.models.cost import cost
from vitlab.nn.block import sandwich
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.rng import sample_keys

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("layer_scale", [None, 0.1])
def test_a_norm_stands_on_both_sides_of_each_branch(layer_scale, tiny_dims, normal, randomise):
    block, x = randomise(sandwich.Spec().build(tiny_dims(layer_scale=layer_scale))), normal(2, 7, 16)
    first, second = (1.0, 1.0) if layer_scale is None else (block.ls1.gamma, block.ls2.gamma)
    a = x + first * block.norm1_post(block.attn(block.norm1(x), PosEmbed()))
    y = a + second * block.norm2_post(block.mlp(block.norm2(a)))
    torch.testing.assert_close(block(x, PosEmbed()), y, rtol=0, atol=1e-12)


def test_what_a_branch_adds_is_normalised_however_large_it_is(tiny_dims, normal, randomise):
    block, x = sandwich.Spec().build(tiny_dims()), normal(2, 7, 16)
    for branch in (block.attn, block.mlp):
        randomise(branch)
        for parameter in branch.parameters():
            parameter.data.mul_(1e3)
    added = block(x, PosEmbed()) - x
    assert added.abs().max() < 2 * 16**0.5  # two branches; no channel of a normalised token exceeds √D


def test_a_dropped_block_is_the_identity(tiny_dims, normal, randomise):
    dims = replace(tiny_dims(drop_path=0.5), layer=1)
    block, x = randomise(sandwich.Spec().build(dims)), normal(64, 7, 16)
    same = (block(x, PosEmbed(), sample_keys(torch.tensor([0]), torch.arange(64))[0]) == x).flatten(1).all(dim=1)
    assert 5 < same.sum() < 28  # both branches dropped: a quarter


def test_its_four_norms_are_charged_to_the_norms(tiny_spec):
    (row,) = [row for row in cost(tiny_spec(block="sandwich")).components if row.name == "blocks.norm"]
    assert row.num_params == 2 * 4 * 2 * 16
