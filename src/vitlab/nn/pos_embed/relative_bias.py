"""A learned bias on the attention logits for every offset between two patches and every attention head.

The table of Swin (arXiv 2103.14030, equation 4) with BEiT's three more rows for prefix tokens: prefix to patch, patch
to prefix, and prefix to prefix. One table for each block, or one for all of them.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.pos_embed._base import AtLayers, PosEmbed, PosEmbedSpec, pairs_at
from vitlab.nn.pos_embed._offsets import offset_index, prefix_rows, resized_offsets, table_rows
from vitlab.nn.resizing import Resizing


class Table(PosEmbed):
    """The biases of one block: weight [offsets + 3, H]."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"weight": "position"}
    index: Tensor

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(table_rows(dims, axes=2), dims.num_heads))
        self.rows_apart = {"weight": prefix_rows(dims, axes=2)}
        self.register_buffer("index", offset_index(dims, axes=2), persistent=False)

    def bias(self, q: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, H, N, K] -> [H, N, N]; [B, H, n, n] at some places"""
        index = pairs_at(self.index, places)
        return self.weight[index.flatten()].unflatten(0, index.shape).movedim(-1, -3)


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`shared`: one table for all blocks (BEiT's shared variant) in place of one each (Swin's)."""

    gives_bias: ClassVar[bool] = True
    shared: bool = False

    def resized(self, name: str, tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
        return resized_offsets(tensor, before, after, resizing)

    def build(self, dims: BlockDims) -> PosEmbed:
        return AtLayers([Table(dims) for _ in range(1 if self.shared else dims.depth)])
