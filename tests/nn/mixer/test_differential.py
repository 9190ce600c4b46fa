from dataclasses import replace
from math import exp

import pytest
import torch
from torch.nn.functional import linear

from vitlab.nn.attention import linear as linear_attention
from vitlab.nn.mixer import differential
from vitlab.nn.pos_embed import relative_bias, rope2d
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


def maps(mixer, x, layer, rotate, bias):
    """The difference of two softmaxes, one pair of heads after the other: [B, N, N] each."""
    heads, width = mixer.num_heads, mixer.proj.in_features // mixer.num_heads
    q, k, _ = linear(x, mixer.qkv.weight, mixer.qkv.bias).chunk(3, dim=-1)
    first = torch.dot(mixer.lambda_q1, mixer.lambda_k1).exp()
    second = torch.dot(mixer.lambda_q2, mixer.lambda_k2).exp()
    weight = first - second + 0.8 - 0.6 * exp(-0.3 * layer)
    differences = []
    for pair in range(heads // 2):
        softmaxes = []
        for head in (2 * pair, 2 * pair + 1):
            own = slice(head * width, (head + 1) * width)
            q_h, k_h = rotate(mixer.q_norm(q[..., own]), mixer.k_norm(k[..., own]))
            softmaxes.append((q_h @ k_h.transpose(1, 2) / width**0.5 + bias[head]).softmax(-1))
        differences.append(softmaxes[0] - weight * softmaxes[1])
    return differences


def attend(mixer, x, layer=0, rotate=lambda q, k: (q, k), bias=(0.0,) * 4):
    """The paper's multi-head differential attention, written out."""
    width = 2 * mixer.proj.in_features // mixer.num_heads
    v = linear(x, mixer.qkv.weight, mixer.qkv.bias).chunk(3, dim=-1)[2]
    outputs = []
    for pair, difference in enumerate(maps(mixer, x, layer, rotate, bias)):
        y = difference @ v[..., pair * width : (pair + 1) * width]
        y = y / (y.square().mean(-1, keepdim=True) + 1e-5).sqrt() * mixer.sub_norm.weight
        outputs.append(y * (0.2 + 0.6 * exp(-0.3 * layer)))
    return linear(torch.cat(outputs, dim=-1), mixer.proj.weight, mixer.proj.bias)


@pytest.mark.parametrize(
    "changed", [{}, {"num_heads": 4}, {"qkv_bias": False}, {"num_heads": 4, "head_dim": 12}, {"qk_norm": True}], ids=str
)
@pytest.mark.parametrize("layer", [0, 3])
def test_it_is_the_equation_pair_by_pair(changed, layer, tiny_dims, normal, randomise):
    mixer = randomise(differential.Spec().build(replace(tiny_dims(**changed), layer=layer)))
    x = normal(2, 7, 16)
    torch.testing.assert_close(mixer(x, PosEmbed()), attend(mixer, x, layer), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", ["fused", "explicit"])
def test_positions_act_on_every_head_of_a_pair(kernel, tiny_dims, normal, randomise):
    dims, x = tiny_dims(num_heads=4), normal(2, 7, 16)
    mixer = randomise(differential.Spec().build(dims))
    mixer.attention.kernel = kernel
    rope, table = rope2d.Spec().build(dims), randomise(relative_bias.Spec().build(dims), 1).layer(0)
    torch.testing.assert_close(mixer(x, rope), attend(mixer, x, rotate=rope.rotate), rtol=0, atol=1e-12)
    torch.testing.assert_close(mixer(x, table), attend(mixer, x, bias=table.bias(x)), rtol=0, atol=1e-12)


def test_its_maps_are_the_differences(tiny_dims, normal, randomise):
    dims, x = tiny_dims(num_heads=4, num_registers=1), normal(2, 8, 16)
    mixer, table = randomise(differential.Spec().build(dims)), randomise(relative_bias.Spec().build(dims), 1).layer(0)
    expected = torch.stack(maps(mixer, x, 0, lambda q, k: (q, k), table.bias(x)), dim=1)
    torch.testing.assert_close(mixer.weights(x, table), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("layer", "start"), [(0, 0.2), (1, 0.3555090675909693), (23, 0.7993953287425709)])
def test_lambda_begins_at_the_paper_s_value_for_the_layer(layer, start, tiny_dims, normal):
    mixer = differential.Spec().build(replace(tiny_dims(), layer=layer))
    sums = mixer.weights(normal(1, 7, 16), PosEmbed()).sum(-1)
    torch.testing.assert_close(sums, torch.full_like(sums, 1 - start), rtol=0, atol=1e-13)


def test_without_positions_tokens_are_a_set(tiny_dims, normal, randomise):
    mixer, x = randomise(differential.Spec().build(tiny_dims())), normal(2, 7, 16)
    order = torch.tensor([4, 2, 6, 0, 1, 5, 3])
    torch.testing.assert_close(mixer(x[:, order], PosEmbed()), mixer(x, PosEmbed())[:, order], rtol=0, atol=1e-12)


def test_the_mechanism_is_the_models(tiny_dims, normal, randomise):
    dims, x = replace(tiny_dims(), attention=linear_attention.Spec(eps=1e-300)), normal(2, 7, 16)
    mixer = randomise(differential.Spec().build(dims))
    assert mixer.attention.eps == 1e-300
    v = mixer.queries_keys_values(x, PosEmbed())[2]
    joined = torch.cat([v[:, :1], v[:, 1:]], dim=-1)
    y = mixer.sub_norm(mixer.weights(x, PosEmbed()) @ joined) * 0.8
    torch.testing.assert_close(mixer(x, PosEmbed()), mixer.output(y, None), rtol=0, atol=1e-12)


@pytest.mark.peer
def test_it_is_timms(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers.diff_attention")
    theirs = randomise(timm.DiffAttention(16, num_heads=2, qkv_bias=True, depth=2).double()).eval()  # heads: our pairs
    ours = differential.Spec().build(replace(tiny_dims(num_heads=4), layer=2))
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours._lambda().float(), theirs._compute_lambda())
    theirs._compute_lambda = ours._lambda  # theirs is in float32, and would hide all differences below 1e-7
    x = normal(3, 7, 16)
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-10)
