"""Multi-head attention pooling (MAP): a learned query attends to all tokens, then an MLP with a residual.

As in Set Transformer (arXiv 1810.00825, section 3.2) and big_vision's `MAPHead`; parameter names are those of timm's
`AttentionPoolLatent`. Prefix tokens are attended to like any other token, unless `prefix` leaves them out.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.base.spec import added
from vitlab.nn.attention.softmax import Softmax
from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.packed import PackedLinear
from vitlab.nn.pool._base import Pool, PoolSpec


class AttentionPool(Pool):
    """y = proj(attention(latent, tokens)); y + mlp(norm y)"""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"latent": "token"}

    def __init__(self, dims: BlockDims, prefix: bool):
        super().__init__()
        self.first = 0 if prefix else dims.num_prefix_tokens
        inner = dims.num_heads * dims.head_dim
        self.heads = (dims.num_heads, dims.head_dim)
        self.latent = nn.Parameter(torch.zeros(1, 1, dims.embed_dim))
        self.q = nn.Linear(dims.embed_dim, inner, bias=dims.qkv_bias)
        self.kv = PackedLinear(dims.embed_dim, inner, 2, bias=dims.qkv_bias)
        self.attention = Softmax(dims.head_dim**-0.5)
        self.proj = nn.Linear(inner, dims.embed_dim)
        self.norm = dims.norm.build(dims.embed_dim)
        self.mlp = dims.mlp.build(dims)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, D]"""
        q = self.q(self.latent).unflatten(-1, self.heads).transpose(1, 2).expand(tokens.shape[0], -1, -1, -1)
        k, v = self.kv(tokens[:, self.first :]).unflatten(-1, (2, *self.heads)).permute(2, 0, 3, 1, 4).unbind(0)
        pooled = self.proj(self.attention(q, k, v).transpose(1, 2).flatten(2))
        return (pooled + self.mlp(self.norm(pooled)))[:, 0]


@dataclass(frozen=True)
class Spec(PoolSpec):
    """`prefix`: whether prefix tokens are attended to. Heads and the MLP's width are the model's."""

    prefix: bool = added(True)

    def build(self, dims: BlockDims) -> Pool:
        return AttentionPool(dims, self.prefix)
