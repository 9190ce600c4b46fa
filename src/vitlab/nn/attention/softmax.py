"""Scaled dot-product attention: softmax(q kᵀ / √K + bias) v (arXiv 1706.03762, equation 1). O(N²) time and memory.

`forward` has two kernels, chosen by the machine (see `train/choices.py`) and equal up to rounding:
`fused`, PyTorch's scaled_dot_product_attention (flash attention on a GPU), and `explicit`, matrix products around a
softmax, which is the faster one on CPUs whose fused kernel does not suit small heads.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.dims import BlockDims

Kernel = Literal["fused", "explicit"]


class Softmax(Attention):
    """softmax(q kᵀ · scale + bias) v"""

    kernel: Kernel = "fused"

    def __init__(self, scale: float):
        super().__init__()
        self.scale = scale

    def forward(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        if self.kernel == "explicit":
            return self.weights(q, k, bias) @ v
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
