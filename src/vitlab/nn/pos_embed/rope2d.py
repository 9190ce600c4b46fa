"""Axial rotary positions: queries and keys are rotated by angles proportional to position (arXiv 2104.09864).

On images half of a head's channels is turned by the column x, half by the row y (RoPE-axial of arXiv 2403.13298):
channel pair i of a half by x · temperature^(-2i / (K/2)). So the logit of two patches depends on their offset only.
Prefix tokens stand nowhere and are left alone.

DINOv3 (arXiv 2508.10104; the authors' code and transformers' `modeling_dinov3_vit`) measures x and y across the whole
picture, from -1 to 1, times 2π, so that angles do not grow with the number of patches; it turns the rows first, and
pairs a channel of the first half of the head with one of the second. With settings for the three this is its form, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.spec import added
from vitlab.nn.constants import constant
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed, rows_at
from vitlab.nn.pos_embed._sinusoids import check_temperature, frequencies
from vitlab.nn.pos_embed._stretched import StretchedSpec
from vitlab.nn.pos_embed._stretched import coordinates as in_patches

Coordinates = Literal["patches", "picture"]
Axis = Literal["x", "y"]
Pairs = Literal["neighbours", "halves"]


@constant
def rotation(dims: BlockDims, spec: "Spec") -> Tensor:
    """[2, N, K]: the cosines and signed sines by which each channel of each token is turned; prefix tokens are not"""
    rows, columns = in_patches(dims, spec.seen) if spec.coordinates == "patches" else _across(dims)
    turns = frequencies(dims.head_dim // 2, spec.temperature)
    x = columns.repeat(len(rows))[:, None] * turns
    y = rows.repeat_interleave(len(columns))[:, None] * turns
    patches = torch.cat([x, y] if spec.first == "x" else [y, x], dim=1)  # [L, K/2]
    prefix = torch.zeros(dims.num_prefix_tokens, dims.head_dim // 2, dtype=torch.float64)
    angles = torch.cat([prefix, patches])
    sign = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    if spec.pairs == "neighbours":
        angles, sign = angles.repeat_interleave(2, dim=1), sign.repeat(dims.head_dim // 2)
    else:
        angles, sign = angles.repeat(1, 2), sign.repeat_interleave(dims.head_dim // 2)
    return torch.stack([angles.cos(), angles.sin() * sign]).to(torch.get_default_dtype())


def _across(dims: BlockDims) -> tuple[Tensor, Tensor]:
    """[rows] and [columns]: the middles of patches from -1 to 1 across the picture, times 2π, in double precision"""
    rows, columns = ((2 * torch.arange(extent, dtype=torch.float64) + 1) / extent - 1 for extent in dims.grid)
    return 2 * pi * rows, 2 * pi * columns


class RoPE2d(PosEmbed):
    """Rotation of channel pairs, (a, b) -> (a cos - b sin, a sin + b cos)."""

    cos: Tensor
    sin: Tensor

    def __init__(self, table: Tensor, pairs: Pairs):
        super().__init__()
        self.pairs = pairs
        cos, sin = table
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Follow the model to a device or to double precision, never to a half: that loses the angles' differences."""
        exact = self.cos, self.sin
        super()._apply(fn, recurse)
        if self.cos.dtype.itemsize < 4:
            self.cos, self.sin = (table.to(self.cos.device) for table in exact)
        return self

    def rotate(self, q: Tensor, k: Tensor, places: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[B, H, N, K] twice -> the same, rotated"""
        cos, sin = rows_at(self.cos, places), rows_at(self.sin, places)
        if places is not None:
            cos, sin = cos[:, None], sin[:, None]
        return self._turned(q, cos, sin), self._turned(k, cos, sin)

    def _turned(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """[B, H, N, K] -> the same, rotated: in the precision of the tables, which is single at least"""
        return (x * cos + _swapped(x, self.pairs) * sin).to(x.dtype)


def _swapped(x: Tensor, pairs: Pairs) -> Tensor:
    """[..., K] -> the same, in place of every channel the other one of its pair"""
    if pairs == "neighbours":
        return x.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    return x.unflatten(-1, (2, -1)).flip(-2).flatten(-2)


@dataclass(frozen=True)
class Spec(StretchedSpec):
    """`temperature`: the base of the frequencies; 100 suits image grids (arXiv 2403.13298).

    `coordinates`: "patches" are counted from 0; across the "picture" their middles stand between -1 and 1, times 2π,
    however many there are. `first`: which of x and y turns the first half of the pairs. `pairs`: of "neighbours", or of
    channels from both "halves" of the head.
    """

    rotates: ClassVar[bool] = True
    temperature: float = 100.0
    coordinates: Coordinates = added("patches")
    first: Axis = added("x")
    pairs: Pairs = added("neighbours")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_temperature(self.temperature)
        if self.seen and self.coordinates == "picture":
            raise SpecError(f"pos_embed.seen={list(self.seen)}: coordinates=picture has no range, on any grid")

    @property
    def suits_any_grid(self) -> bool:
        return self.coordinates == "picture"

    def adapted(self, before: BlockDims, after: BlockDims) -> Self:
        return self if self.suits_any_grid else super().adapted(before, after)

    def build(self, dims: BlockDims) -> PosEmbed:
        return RoPE2d(rotation(dims, self), self.pairs)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.head_dim % 4:
            return (
                f"pos_embed=rope2d needs head_dim divisible by 4 (pairs for x and for y), not {dims.head_dim} "
                "(embed_dim / num_heads unless head_dim is set)"
            )
        return None
