"""Axial rotary positions: queries and keys are rotated by angles proportional to position (arXiv 2104.09864).

On images the first half of a head's channels is turned by the column x, the second by the row y (RoPE-axial of
arXiv 2403.13298): channel pair i of a half by x · temperature^(-2i / (K/2)). So the logit of two patches depends on
their offset only. Prefix tokens stand nowhere and are left alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from vitlab.nn.constants import constant
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed, rows_at
from vitlab.nn.pos_embed._sinusoids import check_temperature, frequencies
from vitlab.nn.pos_embed._stretched import Seen, StretchedSpec, coordinates


@constant
def rotation(dims: BlockDims, temperature: float, seen: Seen = None) -> Tensor:
    """[2, N, K]: the cosines and signed sines by which each channel of each token is turned; prefix tokens are not"""
    rows, columns = coordinates(dims, seen)
    turns = frequencies(dims.head_dim // 2, temperature)
    x = columns.repeat(len(rows))[:, None] * turns
    y = rows.repeat_interleave(len(columns))[:, None] * turns
    patches = torch.cat([x, y], dim=1)  # [L, K/2]
    prefix = torch.zeros(dims.num_prefix_tokens, dims.head_dim // 2, dtype=torch.float64)
    angles = torch.cat([prefix, patches]).repeat_interleave(2, dim=1)
    sign = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(dims.head_dim // 2)
    return torch.stack([angles.cos(), angles.sin() * sign]).to(torch.get_default_dtype())


class RoPE2d(PosEmbed):
    """Rotation of neighbouring channel pairs, (a, b) -> (a cos - b sin, a sin + b cos)."""

    cos: Tensor
    sin: Tensor

    def __init__(self, dims: BlockDims, temperature: float, seen: Seen):
        super().__init__()
        cos, sin = rotation(dims, temperature, seen)
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
        return _turned(q, cos, sin), _turned(k, cos, sin)


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """[B, H, N, K] -> the same, rotated: in the precision of the tables, which is single at least"""
    swapped = x.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    return (x * cos + swapped * sin).to(x.dtype)


@dataclass(frozen=True)
class Spec(StretchedSpec):
    """`temperature`: the base of the frequencies; 100 suits image grids (arXiv 2403.13298)."""

    rotates: ClassVar[bool] = True
    temperature: float = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_temperature(self.temperature)

    def build(self, dims: BlockDims) -> PosEmbed:
        return RoPE2d(dims, self.temperature, self.seen)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.head_dim % 4:
            return (
                f"pos_embed=rope2d needs head_dim divisible by 4 (pairs for x and for y), not {dims.head_dim} "
                "(embed_dim / num_heads unless head_dim is set)"
            )
        return None
