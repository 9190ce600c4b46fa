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
from vitlab.nn.pos_embed._base import AtLayers, PosEmbed, PosEmbedSpec


def offset_index(dims: BlockDims) -> Tensor:
    """[N, N]: which row of the table serves query i and key j. The last three rows are for prefix tokens."""
    rows, columns = dims.grid
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    y, x = y.flatten(), x.flatten()
    dy = y[:, None] - y[None, :] + rows - 1
    dx = x[:, None] - x[None, :] + columns - 1
    offsets = (2 * rows - 1) * (2 * columns - 1)
    index = torch.full((dims.num_tokens, dims.num_tokens), offsets + 2)  # prefix to prefix
    prefix = dims.num_prefix_tokens
    index[prefix:, prefix:] = dy * (2 * columns - 1) + dx
    index[:prefix, prefix:] = offsets
    index[prefix:, :prefix] = offsets + 1
    return index


class Table(PosEmbed):
    """The biases of one block: weight [offsets + 3, H]."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"weight": "position"}
    index: Tensor

    def __init__(self, dims: BlockDims):
        super().__init__()
        index = offset_index(dims)
        rows, columns = dims.grid
        count = (2 * rows - 1) * (2 * columns - 1) + (3 if dims.num_prefix_tokens else 0)
        self.weight = nn.Parameter(torch.zeros(count, dims.num_heads))
        self.register_buffer("index", index, persistent=False)

    def bias(self, q: Tensor) -> Tensor:
        """[B, H, N, K] -> [H, N, N]"""
        return self.weight[self.index.flatten()].unflatten(0, self.index.shape).permute(2, 0, 1)


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`shared`: one table for all blocks (BEiT's shared variant) in place of one each (Swin's)."""

    gives_bias: ClassVar[bool] = True
    shared: bool = False

    def build(self, dims: BlockDims) -> PosEmbed:
        return AtLayers([Table(dims) for _ in range(1 if self.shared else dims.depth)])
