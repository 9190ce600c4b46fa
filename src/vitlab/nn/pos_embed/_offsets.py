"""Offsets between patches, numbered: what every embedding with a table of relative positions looks up.

A table has a row for every offset p_query - p_key of two patches, on the raster line (`axes` 1) or on the grid (2); and
three more, BEiT's, if there are prefix tokens: prefix to patch, patch to prefix, prefix to prefix.
"""

from typing import Literal

import torch
from torch import Tensor

from vitlab.nn.constants import constant
from vitlab.nn.dims import BlockDims
from vitlab.nn.resizing import Resizing

Axes = Literal[1, 2]


def _extents(dims: BlockDims, axes: Axes) -> tuple[int, ...]:
    """How many places there are along each axis."""
    return dims.grid if axes == 2 else (dims.num_patches,)


def _count(dims: BlockDims, axes: Axes) -> int:
    """How many offsets two patches can have."""
    count = 1
    for extent in _extents(dims, axes):
        count *= 2 * extent - 1
    return count


def table_rows(dims: BlockDims, axes: Axes) -> int:
    """How many rows the table has."""
    return prefix_rows(dims, axes).stop


def prefix_rows(dims: BlockDims, axes: Axes) -> range:
    """Which rows of the table serve prefix tokens."""
    offsets = _count(dims, axes)
    return range(offsets, offsets + (3 if dims.num_prefix_tokens else 0))


def resized_offsets(tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
    """[rows of the table, D] -> those for another grid: offsets in patches that are smaller or larger."""
    sizes = [(2 * dims.grid[0] - 1, 2 * dims.grid[1] - 1) for dims in (before, after)]
    offsets = resizing.grid(tensor[: sizes[0][0] * sizes[0][1]], *sizes)
    return torch.cat([offsets, tensor[sizes[0][0] * sizes[0][1] :]])


@constant
def offset_index(dims: BlockDims, axes: Axes) -> Tensor:
    """[N, N]: which row of the table serves query i and key j. The last three rows are for prefix tokens."""
    extents, offsets, prefix = _extents(dims, axes), _count(dims, axes), dims.num_prefix_tokens
    places = torch.meshgrid(*(torch.arange(extent) for extent in extents), indexing="ij")
    patches = torch.zeros(dims.num_patches, dims.num_patches, dtype=torch.int64)
    for place, extent in zip(places, extents, strict=True):
        along = place.flatten()
        patches = patches * (2 * extent - 1) + along[:, None] - along[None, :] + extent - 1
    index = torch.full((dims.num_tokens, dims.num_tokens), offsets + 2)  # prefix to prefix
    index[prefix:, prefix:] = patches
    index[:prefix, prefix:] = offsets
    index[prefix:, :prefix] = offsets + 1
    return index
