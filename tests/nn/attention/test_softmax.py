from math import exp, sqrt

import pytest
import torch
from torch.func import vmap

from vitlab.base.errors import SpecError
from vitlab.nn.attention import _softmax, softmax
from vitlab.nn.attention._softmax import softmax_attention, softmax_weights

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("scale", [None, 0.3])
def test_weights_are_the_paper_s_equation(scale, tiny_dims, normal):
    attention = softmax.Spec(scale=scale).build(tiny_dims())
    q, k, bias = normal(1, 1, 3, 8), normal(1, 1, 3, 8), normal(1, 3, 3)
    weights = attention.weights(q, k, bias)[0, 0]
    factor = 1 / sqrt(8) if scale is None else scale
    for i in range(3):
        masses = [exp(factor * torch.dot(q[0, 0, i], k[0, 0, j]).item() + bias[0, i, j].item()) for j in range(3)]
        assert weights[i].tolist() == pytest.approx([mass / sum(masses) for mass in masses], abs=1e-14)


def test_training_uses_the_fused_kernel_unless_told_otherwise(tiny_dims):
    assert softmax.Spec().build(tiny_dims()).kernel == "fused"


@pytest.mark.parametrize("shape", [None, (5, 5), (2, 5, 5), (3, 2, 5, 5), (3, 1, 1, 5)], ids=str)
@pytest.mark.parametrize("keys", [5, 4])
def test_the_explicit_kernel_s_gradients_are_autograd_s(keys, shape, normal):
    """Also with a bias broadcast in any way, and with fewer keys than queries."""
    q, k, v = normal(3, 2, 5, 8), normal(3, 2, keys, 8), normal(3, 2, keys, 8)
    bias = None if shape is None else normal(*shape)[..., :keys]
    leaves = [leaf.requires_grad_() for leaf in (q, k, v, bias) if leaf is not None]
    upstream = normal(3, 2, 5, 8)
    fast = torch.autograd.grad(softmax_attention(q, k, v, 0.3, bias, "explicit"), leaves, upstream)
    plain = torch.autograd.grad(softmax_weights(q, k, 0.3, bias) @ v, leaves, upstream)
    for ours, theirs in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)


def test_the_explicit_kernel_s_gradients_are_stacked_like_any(normal):
    """Three runs with a bias each: the bias is added in place, and its gradient is summed, run by run."""
    q, k, v = (normal(3, 4, 2, 5, 8) for _ in range(3))
    bias, upstream = normal(3, 2, 5, 5), normal(3, 4, 2, 5, 8)
    leaves = [leaf.requires_grad_() for leaf in (q, k, v, bias)]
    stacked = vmap(lambda *values: softmax_attention(*values[:3], 0.3, values[3], "explicit"))(*leaves)
    together = torch.autograd.grad(stacked, leaves, upstream)
    for run in range(3):
        y = softmax_attention(q[run], k[run], v[run], 0.3, bias[run], "explicit")
        torch.testing.assert_close(stacked[run], y, rtol=0, atol=1e-13)
        for many, one in zip(together, torch.autograd.grad(y, leaves, upstream[run]), strict=True):
            torch.testing.assert_close(many[run], one[run], rtol=0, atol=1e-13)


@pytest.mark.parametrize("with_bias", [False, True])
def test_the_explicit_kernel_has_second_derivatives(normal, with_bias):
    """As autograd has them of the definition, and by differences."""
    q, k, v = (normal(1, 2, 3, 4).requires_grad_() for _ in range(3))
    bias = normal(2, 3, 3).requires_grad_() if with_bias else None

    def explicit(*values):
        return softmax_attention(*values[:3], 0.3, values[3] if with_bias else None, "explicit")

    assert torch.autograd.gradgradcheck(explicit, [q, k, v] + [bias] * with_bias)


def test_the_fused_kernel_refuses_a_second_derivative_and_names_the_way(normal):
    q = normal(3, 2, 5, 8).requires_grad_()
    y = softmax_attention(q, q, q, 0.3, None, "fused")
    with pytest.raises(SpecError, match="use_kernel"):
        torch.autograd.grad(y.square().sum(), q, create_graph=True)


def test_the_fused_kernel_is_never_cudnn_s_and_others_keep_their_choice(normal, monkeypatch):
    allowed = []

    def sdpa(*given, **more):
        allowed.append(torch.backends.cuda.cudnn_sdp_enabled())
        return torch.nn.functional.scaled_dot_product_attention(*given, **more)

    monkeypatch.setattr(_softmax, "scaled_dot_product_attention", sdpa)
    before = torch.backends.cuda.cudnn_sdp_enabled()
    q, k, v = normal(3, 2, 2, 5, 4)
    softmax_attention(q, k, v, 0.5, None, "fused")
    assert allowed == [False]
    assert torch.backends.cuda.cudnn_sdp_enabled() is before
