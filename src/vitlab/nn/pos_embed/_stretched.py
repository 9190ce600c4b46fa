"""Computed positions on a grid of another size than a model was trained on: stretched to the range that it has seen.

Without `seen` the patches of a row stand at 0, 1, 2, …; with it they stand where they would if the image that is cut
into `seen` patches were cut into more, or fewer: the middle of patch i of n is at (i + 1/2) · seen / n - 1/2.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.spec import added
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbedSpec

Seen = tuple[int, int] | None


@dataclass(frozen=True)
class StretchedSpec(PosEmbedSpec):
    """`seen`: rows and columns of patches that the model was trained on, to whose range positions are stretched; null:
    positions count patches, and run on where there are more than in training.
    """

    stretches: ClassVar[bool] = True

    seen: Seen = added(None)

    def __post_init__(self) -> None:
        if self.seen is not None and min(self.seen) < 1:
            raise SpecError(f"pos_embed.seen={list(self.seen)}: must be positive, or null")

    def adapted(self, before: BlockDims, after: BlockDims) -> Self:
        return self if self.seen or before.grid == after.grid else replace(self, seen=before.grid)


def coordinates(dims: BlockDims, seen: Seen) -> tuple[Tensor, Tensor]:
    """[rows] and [columns]: where they stand, in patches, in double precision."""
    rows, columns = (_along(extent, old) for extent, old in zip(dims.grid, seen or dims.grid, strict=True))
    return rows, columns


def _along(extent: int, seen: int) -> Tensor:
    places = torch.arange(extent, dtype=torch.float64)
    return places if extent == seen else (places + 0.5) * (seen / extent) - 0.5
