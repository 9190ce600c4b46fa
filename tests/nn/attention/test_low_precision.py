"""Half precision at many tokens, with large activations: what is computed there is what is computed in double."""

import copy

import pytest
import torch

from vitlab.base.spec import component_names, from_dict
from vitlab.nn.attention._base import AttentionSpec
from vitlab.nn.pos_embed.rope2d import Spec as RoPE

LARGE = {"img_size": [128, 128], "patch_size": 4}  # 32 by 32 patches, and a cls token
EXACT = ("linear", "performer")  # whose sums over all tokens are in single precision


@pytest.fixture
def dims(tiny_dims):
    return tiny_dims(**LARGE)


def inputs(dims, size):
    generator = torch.Generator().manual_seed(3)
    shape = (3, 1, dims.num_heads, dims.num_tokens, dims.head_dim)
    return list(size * torch.randn(shape, generator=generator).bfloat16())


def outputs(attention, qkv):
    """Its output, and the gradients of q, k and v."""
    q, k, v = (tensor.clone().requires_grad_() for tensor in qkv)
    y = attention(q, k, v)
    y.backward(torch.linspace(-1, 1, y.shape[-1], dtype=y.dtype).expand_as(y))
    return [y.detach(), q.grad, k.grad, v.grad]


@pytest.mark.parametrize("size", [1.0, 8.0])
@pytest.mark.parametrize("name", component_names(AttentionSpec.family))
def test_half_precision_is_finite_and_where_sums_are_exact_right(name, size, dims):
    assert dims.num_tokens == 1025
    torch.manual_seed(0)
    exact = from_dict(AttentionSpec, {"name": name} if name in component_names(AttentionSpec.family) else {}).build(
        dims
    )
    for parameter in exact.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    half = copy.deepcopy(exact).bfloat16()
    exact.double()
    for parameter, rounded in zip(exact.parameters(), half.parameters(), strict=True):
        parameter.data.copy_(rounded.data)
    if name == "performer":
        exact.omega.copy_(half.omega)
    qkv = inputs(dims, size)
    found, expected = outputs(half, qkv), outputs(exact, [tensor.double() for tensor in qkv])
    assert all(tensor.isfinite().all() for tensor in found)
    if name in EXACT:
        for ours, theirs in zip(found, expected, strict=True):
            assert (ours.double() - theirs).norm() <= 0.01 * theirs.norm() + 1e-6  # some gradients are zero


def test_rotary_positions_keep_their_angles(tiny_dims):
    """The logit of two patches depends on their offset alone, 64 by 64 patches from each other too."""
    dims = tiny_dims(img_size=[256, 256], patch_size=4, num_registers=4)
    exact = RoPE().build(dims)
    half = copy.deepcopy(exact).bfloat16()
    assert half.cos.dtype == torch.float32
    assert torch.equal(half.cos, exact.cos)
    q, k = (torch.ones(1, 1, dims.num_tokens, dims.head_dim, dtype=torch.bfloat16) for _ in range(2))
    turned_q, turned_k = half.rotate(q, k)
    assert turned_q.dtype == torch.bfloat16
    logits = (turned_q.double() @ turned_k.double().transpose(-2, -1))[
        0, 0, dims.num_prefix_tokens :, dims.num_prefix_tokens :
    ]
    same_offset = torch.stack([logits[place, place + 5] for place in (0, 30, 64 * 40, 64 * 63 + 50)])
    assert (same_offset - same_offset.mean()).abs().max() <= 0.02 * dims.head_dim


def test_rotary_positions_follow_the_model_to_double_precision(tiny_dims):
    assert RoPE().build(tiny_dims()).double().cos.dtype == torch.float64
