"""Mixers around an attention mechanism: the way to q, k and v, and the way back to tokens.

Parameters carry timm's names: `qkv` [3·H·K, D], `proj` [D, H·K], and `q_norm`, `k_norm` over K when qk-norm is on.
"""

from typing import Any

import torch
from torch import Tensor, nn

from vitlab.nn.attention._base import Attention
from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._base import Mixer, output_dropout
from vitlab.nn.packed import PackedLinear
from vitlab.nn.pos_embed._base import PosEmbed


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
        for part, gradient in enumerate(gradients):  # three copies beat torch.stack; they have a gradient themselves
            joint[:, :, part].copy_(gradient.transpose(1, 2))
        return joint.flatten(2), None


def split_heads(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """[B, N, 3·H·K] -> three of [B, H, N, K]. A GPU's fused attention reads views as they lie; a CPU wants copies."""
    if qkv.device.type == "cuda":
        q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v
    return SplitHeads.apply(qkv, heads)


class Attending(Mixer):
    """Project to q, k, v and let positions act; project back. What happens between is the variant's `forward`."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.num_heads = dims.num_heads
        inner = dims.num_heads * dims.head_dim
        self.qkv = PackedLinear(dims.embed_dim, inner, 3, bias=dims.qkv_bias)
        self.q_norm = dims.norm.build(dims.head_dim) if dims.qk_norm else nn.Identity()
        self.k_norm = dims.norm.build(dims.head_dim) if dims.qk_norm else nn.Identity()
        self.attention: Attention = dims.attention.build(dims)
        self.norm = dims.norm.build(inner) if dims.scale_attn_norm else nn.Identity()
        self.proj = nn.Linear(inner, dims.embed_dim, bias=dims.proj_bias)
        self.drop = output_dropout(dims)

    def queries_keys_values(self, x: Tensor, positions: PosEmbed) -> tuple[Tensor, Tensor, Tensor]:
        """[B, N, D] -> three of [B, H, N, K], normalised and rotated: what the attention mechanism receives."""
        q, k, v = split_heads(self.qkv(x), self.num_heads)
        return *positions.rotate(self.q_norm(q), self.k_norm(k)), v

    def output(self, attended: Tensor, keys: Tensor | None) -> Tensor:
        """heads side by side, [B, H, N, K] or any split of H·K -> [B, N, D]"""
        return self.drop(self.proj(self.norm(attended.transpose(1, 2).flatten(2))), keys)
