from dataclasses import replace

import pytest
import torch
from torch.nn.functional import layer_norm, linear

from vitlab.nn.mixer import self_attention
from vitlab.nn.pos_embed import relative_bias, rope2d
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


def attend(mixer, x, rotate=lambda q, k: (q, k), bias=0.0):
    """Equation by equation, one attention head after the other."""
    heads, width = mixer.num_heads, mixer.proj.in_features // mixer.num_heads
    q, k, v = linear(x, mixer.qkv.weight, mixer.qkv.bias).chunk(3, dim=-1)
    outputs = []
    for head in range(heads):
        own = slice(head * width, (head + 1) * width)
        q_h, k_h = rotate(mixer.q_norm(q[..., own]), mixer.k_norm(k[..., own]))
        logits = q_h @ k_h.transpose(1, 2) / width**0.5 + (bias if isinstance(bias, float) else bias[head])
        outputs.append(logits.softmax(-1) @ v[..., own])
    return linear(torch.cat(outputs, dim=-1), mixer.proj.weight, mixer.proj.bias)


CHANGES = [{}, {"qkv_bias": False}, {"proj_bias": False}, {"head_dim": 12}, {"num_heads": 4}, {"qk_norm": True}]


@pytest.mark.parametrize("changed", CHANGES)
def test_it_is_the_equation_head_by_head(changed, tiny_dims, normal, randomise):
    mixer, x = randomise(self_attention.Spec().build(tiny_dims(**changed))), normal(2, 7, 16)
    torch.testing.assert_close(mixer(x, PosEmbed()), attend(mixer, x), rtol=0, atol=1e-12)


def test_qk_norm_normalises_each_head_with_the_models_norm(tiny_dims, normal, randomise):
    mixer, x = randomise(self_attention.Spec().build(tiny_dims(qk_norm=True))), normal(2, 7, 16)
    q, k, _ = mixer.queries_keys_values(x, PosEmbed())
    raw = mixer.qkv(x).unflatten(-1, (3, 2, 8))
    for normed, which, norm in ((q, 0, mixer.q_norm), (k, 1, mixer.k_norm)):
        expected = layer_norm(raw[:, :, which], (8,), norm.weight, norm.bias, eps=1e-6).transpose(1, 2)
        torch.testing.assert_close(normed, expected, rtol=0, atol=1e-12)


def test_positions_turn_queries_and_keys_and_add_to_the_logits(tiny_dims, normal, randomise):
    dims, x = tiny_dims(), normal(2, 7, 16)
    mixer = randomise(self_attention.Spec().build(dims))
    rope, table = rope2d.Spec().build(dims), randomise(relative_bias.Spec().build(dims), 1).layer(0)
    bias = table.bias(x)
    torch.testing.assert_close(mixer(x, rope), attend(mixer, x, rotate=rope.rotate), rtol=0, atol=1e-12)
    torch.testing.assert_close(mixer(x, table), attend(mixer, x, bias=bias), rtol=0, atol=1e-12)


def test_the_mechanism_is_the_models(tiny_dims):
    from vitlab.nn.attention import linear as linear_attention

    dims = replace(tiny_dims(), attention=linear_attention.Spec(eps=0.25))
    assert self_attention.Spec().build(dims).attention.eps == 0.25


@pytest.mark.peer
def test_with_a_norm_before_the_projection_it_is_timms(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers")
    theirs = randomise(timm.Attention(16, num_heads=2, qkv_bias=True, scale_norm=True, norm_layer=torch.nn.LayerNorm))
    theirs.norm.eps = 1e-6
    ours, x = self_attention.Spec().build(tiny_dims(scale_attn_norm=True)), normal(2, 7, 16)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-12)
