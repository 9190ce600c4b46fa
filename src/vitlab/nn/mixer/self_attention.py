"""Multi-head self-attention (arXiv 1706.03762, section 3.2.2) around any mechanism of the attention family.

Parameters carry timm's names: `qkv` [3·H·K, D], `proj` [D, H·K], and `q_norm`, `k_norm` over K when qk-norm is on.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.fused import FusedLinear
from vitlab.nn.mixer._base import Mixer, MixerSpec
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.nn.stochastic import Dropout


class SplitHeads(torch.autograd.Function):
    """Lay q, k and v out for batched products in one copy, and their gradients back in one."""

    generate_vmap_rule = True

    @staticmethod
    def forward(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
        """[B, N, 3·H·K] -> three of [B, H, N, K], contiguous"""
        q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        return q, k, v

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: tuple[Tensor, Tensor, Tensor]) -> None:
        """Nothing is kept."""

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """three of [B, H, N, K] -> [B, N, 3·H·K]"""
        batch, heads, tokens, width = gradients[0].shape
        joint = gradients[0].new_empty(batch, tokens, 3, heads, width)
        for part, gradient in zip(joint.unbind(2), gradients, strict=True):  # three copies beat torch.stack
            part.copy_(gradient.transpose(1, 2))
        return joint.flatten(2), None


def split_heads(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """[B, N, 3·H·K] -> three of [B, H, N, K]. A GPU's fused attention reads views as they lie; a CPU wants copies."""
    if qkv.device.type == "cuda":
        q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v
    return SplitHeads.apply(qkv, heads)


class SelfAttention(Mixer):
    """Project to q, k, v; let positions act; attend; project back."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.num_heads = dims.num_heads
        inner = dims.num_heads * dims.head_dim
        self.qkv = FusedLinear(dims.embed_dim, inner, 3, bias=dims.qkv_bias)
        self.q_norm = dims.norm.build(dims.head_dim) if dims.qk_norm else nn.Identity()
        self.k_norm = dims.norm.build(dims.head_dim) if dims.qk_norm else nn.Identity()
        self.attention = dims.attention.build(dims)
        self.proj = nn.Linear(inner, dims.embed_dim, bias=dims.proj_bias)
        self.drop = Dropout(dims.mixer_dropout, f"blocks.{dims.layer}.mixer.drop")

    def queries_keys_values(self, x: Tensor, positions: PosEmbed) -> tuple[Tensor, Tensor, Tensor]:
        """[B, N, D] -> three of [B, H, N, K], normalised and rotated: what the attention mechanism receives."""
        q, k, v = split_heads(self.qkv(x), self.num_heads)
        return *positions.rotate(self.q_norm(q), self.k_norm(k)), v

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        q, k, v = self.queries_keys_values(x, positions)
        attended = self.attention(q, k, v, positions.bias(q), keys)
        return self.drop(self.proj(attended.transpose(1, 2).flatten(2)), keys)

    def weights(self, x: Tensor, positions: PosEmbed) -> Tensor:
        """[B, N, D] -> [B, H, N, N]"""
        q, k, _ = self.queries_keys_values(x, positions)
        return self.attention.weights(q, k, positions.bias(q))


@dataclass(frozen=True)
class Spec(MixerSpec):
    """No settings of its own: heads, biases and qk-norm are fields of the model."""

    has_logits: ClassVar[bool] = True
    uses_attention: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> Mixer:
        return SelfAttention(dims)
