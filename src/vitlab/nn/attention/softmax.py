"""Scaled dot-product attention: softmax(q kᵀ / √K + bias) v (arXiv 1706.03762, equation 1). O(N²) time and memory.

`forward` has two kernels, chosen by the machine (see `train/choices.py`) and equal up to rounding:
`fused`, PyTorch's scaled_dot_product_attention (flash attention on a GPU), and `explicit`, matrix products around a
softmax, which is the faster one on CPUs whose fused kernel does not suit small heads.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.dims import BlockDims

Kernel = Literal["fused", "explicit"]


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


class Softmax(Attention):
    """softmax(q kᵀ · scale + bias) v"""

    kernel: Kernel = "fused"

    def __init__(self, scale: float):
        super().__init__()
        self.scale = scale

    def forward(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        if self.kernel == "explicit":
            return ExplicitAttention.apply(q, k, v, self.scale)[0] if bias is None else self.weights(q, k, bias) @ v
        return scaled_dot_product_attention(q, k, v, bias, scale=self.scale)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]; rows sum to one."""
        logits = (q * self.scale) @ k.transpose(-2, -1)
        return (logits if bias is None else logits + bias).softmax(-1)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`scale`: what the logits are multiplied by; None is head_dim ** -0.5."""

    scale: float | None = None

    def build(self, dims: BlockDims) -> Attention:
        return Softmax(dims.head_dim**-0.5 if self.scale is None else self.scale)
