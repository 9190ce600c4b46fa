"""A learned vector for every column and one for every row, concatenated (arXiv 2010.11929, appendix D.4, "2-D").

Patch (row, column) gets [x_column ‖ y_row], x [columns, D/2] and y [rows, D/2]: (rows + columns) · D/2 parameters a
table, where `learned` has rows · columns · D. Prefix tokens have none: they stand nowhere on the grid, and are learned
themselves (the paper does not say what it does with cls). O(N) time.
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


class Learned2d(AtStem):
    """tokens + [x ‖ y], zero for prefix tokens"""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"x": "position", "y": "position"}

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.grid, self.num_prefix_tokens = dims.grid, dims.num_prefix_tokens
        rows, columns = dims.grid
        self.x = nn.Parameter(torch.zeros(columns, dims.embed_dim // 2))
        self.y = nn.Parameter(torch.zeros(rows, dims.embed_dim // 2))

    def add(self, tokens: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        rows, columns = self.grid
        x, y = self.x[None].expand(rows, -1, -1), self.y[:, None].expand(-1, columns, -1)
        patches = torch.cat([x, y], dim=-1).flatten(0, 1)  # [L, D]
        return tokens + rows_at(pad(patches, (0, 0, self.num_prefix_tokens, 0)), places)


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`place`: at the stem, at every layer from tables of its own, or at every layer from shared tables."""

    place: Place = "stem"

    def resized(self, name: str, tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
        axis = 1 if name.endswith("x") else 0  # of the grid
        return resizing.grid(tensor, (1, before.grid[axis]), (1, after.grid[axis]))

    def build(self, dims: BlockDims) -> PosEmbed:
        return placed(lambda: Learned2d(dims), self.place, dims)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.embed_dim % 2:
            return f"pos_embed=learned_2d needs an even embed_dim (half for x, half for y), not {dims.embed_dim}"
        return None
