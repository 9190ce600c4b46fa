from dataclasses import replace
from itertools import product
from math import ceil, exp, floor, sqrt

import pytest
import torch

from vitlab.nn.attention import gpsa, softmax
from vitlab.nn.mixer import self_attention
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")

PATCHES_ONLY = {"cls_token": False, "pool": "mean"}
ROWS, COLUMNS = 2, 3


def shares(logits):
    masses = [exp(logit - max(logits)) for logit in logits]
    return [mass / sum(masses) for mass in masses]


@pytest.mark.parametrize("settings", [PATCHES_ONLY, {}, {"num_registers": 2}], ids=str)
def test_weights_are_the_paper_s_equation_and_prefix_tokens_have_no_place(settings, tiny_dims, normal, randomise):
    dims = tiny_dims(**settings)
    attention, prefix, tokens = randomise(gpsa.Spec().build(dims)), dims.num_prefix_tokens, range(dims.num_tokens)
    q, k, bias = normal(1, 2, len(tokens), 8), normal(1, 2, len(tokens), 8), normal(2, len(tokens), len(tokens))
    weights = attention.weights(q, k, bias)
    places = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
    for head in range(2):
        a, b, c = attention.pos_proj[head].tolist()
        gate = 1 / (1 + exp(-attention.gating_param[head].item()))
        for i in tokens:
            logits = [
                torch.dot(q[0, head, i], k[0, head, j]).item() / sqrt(8) + bias[head, i, j].item() for j in tokens
            ]
            expected = shares(logits)
            if i >= prefix:
                y, x = places[i - prefix]
                offsets = [(row - y, column - x) for row, column in places]
                near = [0.0] * prefix + shares([a * dx + b * dy + c * (dx**2 + dy**2) for dy, dx in offsets])
                expected = [(1 - gate) * s + gate * n for s, n in zip(expected, near, strict=True)]
            assert weights[0, head, i].tolist() == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("num_heads", [4, 9])
def test_heads_begin_at_the_taps_of_a_convolution(num_heads, tiny_dims):
    dims = tiny_dims(img_size=[20, 28], num_heads=num_heads, head_dim=4)  # 5 x 7 patches, the middle one at (2, 3)
    attention = gpsa.Spec(locality_strength=50.0).build(dims)
    looks = attention.positional()[:, 2 * 7 + 3].unflatten(-1, (5, 7))
    side = int(sqrt(num_heads))
    centre = (side - 1) / 2
    for head in range(num_heads):
        y, x = 2 + head % side - centre, 3 + head // side - centre
        rows, columns = {floor(y), ceil(y)}, {floor(x), ceil(x)}  # a centre between patches: all of them alike
        reached = torch.zeros(5, 7)
        for row, column in product(rows, columns):
            reached[row, column] = 1 / (len(rows) * len(columns))
        torch.testing.assert_close(looks[head], reached, rtol=0, atol=1e-12)


def test_heads_left_over_look_everywhere_alike(tiny_dims):
    dims = tiny_dims(num_heads=6, head_dim=4)
    attention = gpsa.Spec().build(dims)
    assert attention.pos_proj.any(dim=1).tolist() == [True] * 4 + [False] * 2
    torch.testing.assert_close(attention.positional()[4:], torch.full((2, 6, 6), 1 / 6), rtol=0, atol=1e-15)
    assert attention.gating_param.tolist() == [1.0] * 6


def test_a_closed_gate_is_softmax_attention_and_an_open_one_sees_no_content(tiny_dims, normal, randomise):
    dims = tiny_dims()
    attention = randomise(gpsa.Spec().build(dims))
    q, k = normal(1, 2, 7, 8), normal(1, 2, 7, 8)
    with torch.no_grad():
        attention.gating_param.fill_(-1000.0)
    expected = softmax.Spec().build(dims).weights(q, k)
    torch.testing.assert_close(attention.weights(q, k), expected, rtol=0, atol=1e-14)
    with torch.no_grad():
        attention.gating_param.fill_(1000.0)
    assert torch.equal(attention.weights(q, k)[:, :, 1:], attention.weights(k, q)[:, :, 1:])
    torch.testing.assert_close(attention.weights(q, k)[:, :, 0], expected[:, :, 0], rtol=0, atol=1e-14)


def test_patches_are_no_set(tiny_dims, normal):
    attention = gpsa.Spec().build(tiny_dims(**PATCHES_ONLY))
    q, k, v = (normal(1, 2, 6, 8) for _ in range(3))
    order = torch.tensor([3, 4, 5, 0, 1, 2])  # the rows change places: offsets keep their size and change their sign
    y, permuted = attention(q, k, v), attention(q[:, :, order], k[:, :, order], v[:, :, order])
    torch.testing.assert_close(permuted[:, 0], y[:, 0, order], rtol=0, atol=1e-13)  # a head centred on its query
    tilted = attention.pos_proj + torch.tensor([0.0, 1.0, 0.0])
    with torch.no_grad():
        attention.pos_proj.copy_(tilted)
    y, permuted = attention(q, k, v), attention(q[:, :, order], k[:, :, order], v[:, :, order])
    assert not torch.allclose(permuted, y[:, :, order])


@pytest.mark.peer
@pytest.mark.parametrize("num_heads", [4, 6, 9])
@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_it_begins_as_timms(num_heads, strength, tiny_dims):
    timm = pytest.importorskip("timm.models.convit")
    theirs = timm.GPSA(num_heads * 4, num_heads, locality_strength=strength)
    with torch.no_grad():
        theirs.pos_proj.weight.zero_()  # timm leaves heads beyond the square to the general initialisation
        theirs.local_init()
    ours = gpsa.Spec(locality_strength=strength).build(tiny_dims(num_heads=num_heads, head_dim=4))
    torch.testing.assert_close(ours.pos_proj, theirs.pos_proj.weight, rtol=0, atol=1e-15)
    assert torch.equal(ours.gating_param, theirs.gating_param)


@pytest.mark.peer
@pytest.mark.parametrize("kernel", ["fused", "explicit"])
def test_it_is_timms(kernel, tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.convit")
    theirs = randomise(timm.GPSA(16, num_heads=4, qkv_bias=True), 1).eval()  # its pos_proj.bias is not zero: no matter
    dims = tiny_dims(img_size=12, num_heads=4, **PATCHES_ONLY)
    ours = self_attention.Spec().build(replace(dims, attention=gpsa.Spec()))
    ours.attention.kernel = kernel
    state = theirs.state_dict()
    for name in ("weight", "bias"):
        state[f"qkv.{name}"] = torch.cat([state.pop(f"qk.{name}"), state.pop(f"v.{name}")])
    state["attention.pos_proj"], state["attention.gating_param"] = (
        state.pop("pos_proj.weight"),
        state.pop("gating_param"),
    )
    del state["pos_proj.bias"]
    ours.load_state_dict(state)
    x = normal(3, 9, 16)
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-10)
    torch.testing.assert_close(ours.weights(x, PosEmbed()), theirs.get_attention(x), rtol=0, atol=1e-10)
