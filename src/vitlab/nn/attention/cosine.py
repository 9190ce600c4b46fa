"""Scaled cosine attention: softmax(cos(q, k) / τ + bias) v, one τ a head (Swin v2, arXiv 2111.09883, section 3.2).

[B, H, N, K] three times -> [B, H, N, K]. τ is learned, and 1/τ bounds the logits whatever the size of activations.
`logit_scale` [H, 1, 1] is log(1/τ), as in timm and the authors' code: it begins at log 10, and log 100 caps it (τ is
at least 0.01; above the cap its gradient is zero). The continuous position bias of the same section is no part of this:
any position embedding that gives a bias can be chosen beside it. O(N²) time; memory as the kernel has it, O(N) if
fused.
"""

from dataclasses import dataclass
from math import log
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._softmax import softmax_attention, softmax_weights
from vitlab.nn.dims import BlockDims
from vitlab.nn.kernel import Kernel
from vitlab.nn.kinds import Kind


class Cosine(Attention):
    """softmax(min(exp(logit_scale), 100) · cos(q, k) + bias) v"""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"logit_scale": "scale"}
    kernel: Kernel = "fused"

    def __init__(self, num_heads: int):
        super().__init__()
        self.logit_scale = nn.Parameter(torch.full((num_heads, 1, 1), log(10)))

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        return softmax_attention(*self._directions(q, k), v, 1.0, bias, self.kernel)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]; rows sum to one."""
        return softmax_weights(*self._directions(q, k), 1.0, bias)

    def _directions(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """q and k at length one, q then at length 1/τ: their product is the logits."""
        return normalize(q, dim=-1) * self.logit_scale.clamp(max=log(100)).exp(), normalize(k, dim=-1)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Attention:
        return Cosine(dims.num_heads)
