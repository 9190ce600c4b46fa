"""Scaled dot-product attention: softmax(q kᵀ / √K + bias) v (arXiv 1706.03762, equation 1). O(N²) time and memory.

A fused kernel (flash attention, arXiv 2205.14135) needs O(N) memory; which one runs is the machine's choice.
"""

from dataclasses import dataclass

from torch import Tensor

from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._softmax import softmax_attention, softmax_weights
from vitlab.nn.dims import BlockDims
from vitlab.nn.kernel import Kernel


class Softmax(Attention):
    """softmax(q kᵀ · scale + bias) v"""

    kernel: Kernel = "fused"

    def __init__(self, scale: float):
        super().__init__()
        self.scale = scale

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        return softmax_attention(q, k, v, self.scale, bias, self.kernel)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]; rows sum to one."""
        return softmax_weights(q, k, self.scale, bias)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`scale`: what the logits are multiplied by; None is head_dim ** -0.5."""

    scale: float | None = None

    def build(self, dims: BlockDims) -> Attention:
        return Softmax(dims.head_dim**-0.5 if self.scale is None else self.scale)
