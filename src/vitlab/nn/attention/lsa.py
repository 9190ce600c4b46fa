"""Locality self-attention: softmax(q kᵀ · scale, its diagonal masked) v (SL-ViT, arXiv 2112.13492, equations 4 and 5).

A token attends to all tokens but itself: its logit with its own key is -inf. The scale is learned, one number for each
attention head (the paper calls its inverse the temperature), and starts at 1/√K. Prefix tokens are masked like patches.
A position bias may be added to the logits, which the paper does not do. O(N²) time and memory, as softmax.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._softmax import softmax_attention, softmax_weights
from vitlab.nn.dims import BlockDims
from vitlab.nn.kernel import Kernel
from vitlab.nn.kinds import Kind


class LSA(Attention):
    """softmax(q kᵀ · scale + bias, without the diagonal) v; scale [H]."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"scale": "scale"}
    kernel: Kernel = "fused"

    def __init__(self, heads: int, start: float):
        super().__init__()
        self.scale = nn.Parameter(torch.full((heads,), start))

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        return softmax_attention(self._scaled(q), k, v, 1.0, _without_self(q, bias), self.kernel)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]; rows sum to one, the diagonal is zero."""
        return softmax_weights(self._scaled(q), k, 1.0, _without_self(q, bias))

    def _scaled(self, q: Tensor) -> Tensor:
        return q * self.scale[:, None, None]


def _without_self(q: Tensor, bias: Tensor | None) -> Tensor:
    """The bias with -inf on the diagonal: [N, N], or the shape of the bias."""
    diagonal = q.new_full((q.shape[-2],), -torch.inf).diag_embed()
    return diagonal if bias is None else bias + diagonal


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """No settings: the scale starts at head_dim ** -0.5."""

    def build(self, dims: BlockDims) -> Attention:
        return LSA(dims.num_heads, dims.head_dim**-0.5)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.num_tokens < 2:
            return (
                f"attention=lsa masks a token's attention to itself, and patch_size={dims.patch_size} leaves one token "
                f"at img_size={dims.img_size}: use a smaller patch_size or a prefix token"
            )
        return None
