"""A learned vector per offset between two patches, multiplied by the query (Shaw et al., arXiv 1803.02155, equation 5).

    logit(i, j) = (q_i · k_j + q_i · r_offset(i, j)) / √K

as the ViT paper uses it (arXiv 2010.11929, appendix D.4, "relative": an extra attention whose keys are the vectors of
the offsets p_q - p_k in the patch sequence). r is [offsets, K], shared by the attention heads as Shaw et al. share it;
offsets are not clipped, since a grid has only so many; Shaw's second set of vectors, on the values, is left out, as the
ViT paper does. That code was never released, so two things here are inferred: the division by √K (Shaw's), and the
three vectors for prefix tokens (prefix to patch, patch to prefix, prefix to prefix; BEiT's way). √K stays whatever
scale or temperature the attention mechanism has for its own logits.

Queries meet each vector once, [B, H, N, offsets], and every key picks its own: O(N²) time and memory for the line's
2L - 1 vectors; the grid's (2·rows - 1)(2·columns - 1) are twice as many.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.pos_embed._base import AtLayers, PosEmbed, PosEmbedSpec, pairs_at
from vitlab.nn.pos_embed._offsets import Axes, offset_index, prefix_rows, resized_offsets, table_rows
from vitlab.nn.resizing import Resizing


class Vectors(PosEmbed):
    """The vectors of one block: weight [offsets + 3, K]."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"weight": "position"}
    index: Tensor

    def __init__(self, dims: BlockDims, axes: Axes):
        super().__init__()
        self.scale = dims.head_dim**-0.5
        self.weight = nn.Parameter(torch.zeros(table_rows(dims, axes), dims.head_dim))
        self.rows_apart = {"weight": prefix_rows(dims, axes)}
        self.register_buffer("index", offset_index(dims, axes), persistent=False)

    def bias(self, q: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, H, N, K] -> [B, H, N, N]"""
        met = (q * self.scale) @ self.weight.t()  # [B, H, N, offsets + 3]
        index = pairs_at(self.index, places)
        index = index if places is None else index[:, None]
        return met.gather(-1, index.expand(*q.shape[:2], -1, -1))


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`axes`: 1, offsets in raster order, as in the ViT paper; 2, offsets in rows and columns.

    `shared`: one table for all blocks in place of one each.
    """

    gives_bias: ClassVar[bool] = True
    axes: Axes = 1
    shared: bool = False

    def resized(self, name: str, tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
        if self.axes == 1:  # an offset along the raster line is of other patches on another grid: nothing to go by
            return tensor
        return resized_offsets(tensor, before, after, resizing)

    def build(self, dims: BlockDims) -> PosEmbed:
        return AtLayers([Vectors(dims, self.axes) for _ in range(1 if self.shared else dims.depth)])
