"""A learned vector for every token, added at the stem: the ViT paper's 1-D embedding (arXiv 2010.11929, eq. 1)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.pos_embed._base import PosEmbed, PosEmbedSpec


class Learned(PosEmbed):
    """tokens + weight, where weight is [1, N, D], or [1, L, D] if prefix tokens have no position."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"weight": "position"}

    def __init__(self, count: int, dims: BlockDims):
        super().__init__()
        self.missing = dims.num_tokens - count
        self.weight = nn.Parameter(torch.zeros(1, count, dims.embed_dim))

    def add(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return tokens + pad(self.weight, (0, 0, self.missing, 0))


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`prefix`: whether cls and registers have positions too (timm's `no_embed_class` is its negation)."""

    prefix: bool = True

    def build(self, dims: BlockDims) -> PosEmbed:
        return Learned(dims.num_tokens if self.prefix else dims.num_patches, dims)
