import pytest
import torch
from scipy import stats

from vitlab.models.vit import build


@pytest.mark.parametrize("std", [0.02, 0.1])
def test_linear_weights_are_normal_with_their_spread_and_biases_zero(std, tiny_spec):
    model = build(tiny_spec(embed_dim=64, init={"name": "trunc_normal", "std": std}))
    for layer in (model.blocks[0].attn.qkv, model.blocks[1].mlp.fc1):
        values = layer.weight.detach().flatten().double()
        assert stats.kstest(values / std, "norm").pvalue > 1e-3
        assert layer.bias.eq(0).all()


def test_the_normal_is_cut_at_two(tiny_spec):
    model = build(tiny_spec(embed_dim=64, init={"name": "trunc_normal", "std": 1.5}))
    weight = model.blocks[0].attn.qkv.weight
    assert 1.99 < weight.abs().max() <= 2


def test_convolutions_keep_pytorchs_default_and_a_zero_bias(tiny_spec):
    proj = build(tiny_spec(embed_dim=64)).patch_embed.proj
    bound = (3 * 4 * 4) ** -0.5
    assert 0.99 * bound < proj.weight.abs().max() <= bound
    assert stats.kstest(proj.weight.detach().flatten() / bound, "uniform", (-1, 2)).pvalue > 1e-3
    assert torch.equal(proj.bias, torch.zeros(64))
