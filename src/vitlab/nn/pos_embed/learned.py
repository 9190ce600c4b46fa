"""A learned vector for every token, in raster order: the ViT paper's 1-D embedding (arXiv 2010.11929, equation 1).

x + E, E [N, D]. Costs N·D parameters a table and no time; the number of tokens is fixed.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.pos_embed._base import AtStem, Place, PosEmbed, PosEmbedSpec, placed, rows_at
from vitlab.nn.resizing import Resizing


class Learned(AtStem):
    """tokens + weight, where weight is [1, N, D], or [1, L, D] if prefix tokens have no position."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"weight": "position"}

    def __init__(self, count: int, dims: BlockDims):
        super().__init__()
        self.missing = dims.num_tokens - count
        self.rows_apart = {"weight": range(count - dims.num_patches)}
        self.weight = nn.Parameter(torch.zeros(1, count, dims.embed_dim))

    def add(self, tokens: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return tokens + rows_at(pad(self.weight, (0, 0, self.missing, 0))[0], places)


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`prefix`: whether prefix tokens have positions too (timm's `no_embed_class` is its negation).

    `place`: at the stem, at every layer from a table of its own, or at every layer from one shared table.
    """

    prefix: bool = True
    place: Place = "stem"

    def resized(self, name: str, tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
        if before.num_prefix_tokens != after.num_prefix_tokens:
            return tensor
        prefix = tensor.shape[1] - before.num_patches
        patches = resizing.grid(tensor[:, prefix:], before.grid, after.grid)
        return torch.cat([tensor[:, :prefix], patches], dim=1)

    def build(self, dims: BlockDims) -> PosEmbed:
        count = dims.num_tokens if self.prefix else dims.num_patches
        return placed(lambda: Learned(count, dims), self.place, dims)
