"""Multi-head self-attention (arXiv 1706.03762, section 3.2.2) around any mechanism of the attention family.

Parameters carry timm's names: `qkv` [3·H·K, D], `proj` [D, H·K], and `q_norm`, `k_norm` over K when qk-norm is on.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._base import Mixer, MixerSpec
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.nn.stochastic import Dropout


class SelfAttention(Mixer):
    """Project to q, k, v; let positions act; attend; project back."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.heads = (3, dims.num_heads, dims.head_dim)
        inner = dims.num_heads * dims.head_dim
        self.qkv = nn.Linear(dims.embed_dim, 3 * inner, bias=dims.qkv_bias)
        self.q_norm = dims.norm.build(dims.head_dim) if dims.qk_norm else nn.Identity()
        self.k_norm = dims.norm.build(dims.head_dim) if dims.qk_norm else nn.Identity()
        self.attention = dims.attention.build(dims)
        self.proj = nn.Linear(inner, dims.embed_dim)
        self.drop = Dropout(dims.mixer_dropout, f"blocks.{dims.layer}.mixer.drop")

    def queries_keys_values(self, x: Tensor, positions: PosEmbed) -> tuple[Tensor, Tensor, Tensor]:
        """[B, N, D] -> three of [B, H, N, K], normalised and rotated: what the attention mechanism receives."""
        q, k, v = self.qkv(x).unflatten(-1, self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return *positions.rotate(self.q_norm(q), self.k_norm(k)), v

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        q, k, v = self.queries_keys_values(x, positions)
        attended = self.attention(q, k, v, positions.bias(q))
        return self.drop(self.proj(attended.transpose(1, 2).flatten(2)), keys)


@dataclass(frozen=True)
class Spec(MixerSpec):
    """No settings of its own: heads, biases and qk-norm are fields of the model."""

    has_logits: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> Mixer:
        return SelfAttention(dims)
