"""A learned vector for every token, in raster order: the ViT paper's 1-D embedding (arXiv 2010.11929, equation 1).

x + E, E [N, D]. Costs N·D parameters a table and no time; the number of tokens is fixed.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vitlab.base.spec import added
from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.pos_embed._base import AtStem, Place, PosEmbed, PosEmbedSpec, placed, rows_at
from vitlab.nn.resizing import Resizing


class Learned(AtStem):
    """tokens + weight [1, N, D], of which the tokens between the first `front` and the patches have no rows."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"weight": "position"}

    def __init__(self, front: int, dims: BlockDims):
        super().__init__()
        self.front, self.missing = front, dims.num_prefix_tokens - front
        self.rows_apart = {"weight": range(front)}
        self.weight = nn.Parameter(torch.zeros(1, front + dims.num_patches, dims.embed_dim))

    def add(self, tokens: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        table = self.weight[0]
        if self.missing:
            table = torch.cat([table[: self.front], pad(table[self.front :], (0, 0, self.missing, 0))])
        return tokens + rows_at(table, places)


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`prefix`: whether prefix tokens have positions too (timm's `no_embed_class` is its negation).

    `place`: at the stem, at every layer from a table of its own, or at every layer from one shared table. `registers`:
    whether registers have positions where prefix tokens do; DINOv2's have none (arXiv 2309.16588, the authors' code).
    """

    prefix: bool = True
    place: Place = "stem"
    registers: bool = added(True)

    def resized(self, name: str, tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
        if before.num_prefix_tokens != after.num_prefix_tokens:
            return tensor
        prefix = tensor.shape[1] - before.num_patches
        patches = resizing.grid(tensor[:, prefix:], before.grid, after.grid)
        return torch.cat([tensor[:, :prefix], patches], dim=1)

    def build(self, dims: BlockDims) -> PosEmbed:
        without = 0 if self.registers else dims.num_registers
        front = dims.num_prefix_tokens - without if self.prefix else 0
        return placed(lambda: Learned(front, dims), self.place, dims)
