"""Softmax attention by either kernel, for every mechanism that comes down to softmax(q kᵀ · scale + bias) v."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from vitlab.nn.kernel import Kernel


class ExplicitAttention(torch.autograd.Function):
    """softmax(q kᵀ · scale) v with its gradient written out.

    Autograd's own version broadcasts, expands and copies between the same products; here each is one batched product
    of three-dimensional tensors. With p the weights: ∂v = pᵀ ∂y; ∂z = p ∘ (∂p - rowsum(p ∘ ∂p)), ∂p = ∂y vᵀ;
    ∂q = ∂z k · scale; ∂k = ∂zᵀ q · scale. (∂z is linear in ∂y, so the scale may be applied there.)
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(q: Tensor, k: Tensor, v: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """q, k, v [B, H, N, K] -> output [B, H, N, K], and the weights [B·H, N, N] for the gradient"""
        q, k, values = q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1)
        weights = torch.bmm(q * scale, k.transpose(1, 2)).softmax(-1)
        return torch.bmm(weights, values).unflatten(0, v.shape[:2]), weights

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, float], output: tuple[Tensor, Tensor]) -> None:
        """Keep what the gradient needs."""
        ctx.set_materialize_grads(False)  # the weights get no gradient, and zeros for it would be as large as they are
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs[:3], output[1])
        ctx.scale = inputs[3]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: None) -> tuple[Tensor, Tensor, Tensor, None]:
        """[B, H, N, K] -> three of the same"""
        q, k, v, weights = ctx.saved_tensors
        batch = gradient.shape[:2]
        q, k, v, gradient = (t.flatten(0, 1) for t in (q, k, v, gradient))
        dv = torch.bmm(weights.transpose(1, 2), gradient)
        dp = torch.bmm(gradient * ctx.scale, v.transpose(1, 2))  # the scale here, where it meets the fewest numbers
        dz = torch._softmax_backward_data(dp, weights, -1, weights.dtype)
        dq, dk = torch.bmm(dz, k), torch.bmm(dz.transpose(1, 2), q)
        return dq.unflatten(0, batch), dk.unflatten(0, batch), dv.unflatten(0, batch), None


def softmax_weights(q: Tensor, k: Tensor, scale: float, bias: Tensor | None) -> Tensor:
    """softmax(q kᵀ · scale + bias): [B, H, N, K] twice -> [B, H, N, N]"""
    logits = (q * scale) @ k.transpose(-2, -1)
    return (logits if bias is None else logits + bias).softmax(-1)


def softmax_attention(q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None, kernel: Kernel) -> Tensor:
    """softmax(q kᵀ · scale + bias) v: [B, H, N, K] three times -> [B, H, N, K]"""
    if kernel == "fused":
        return scaled_dot_product_attention(q, k, v, bias, scale=scale)
    if bias is None:
        return ExplicitAttention.apply(q, k, v, scale)[0]
    return softmax_weights(q, k, scale, bias) @ v
