"""Fixed two-dimensional sinusoids (arXiv 1706.03762 section 3.5, on both axes as in MoCo v3, MAE).

D is split in two: the first half encodes the column x, the second the row y. Inside a half, sin and cos alternate with
frequencies temperature^(-2i / (D/2)); positions are integers from 0. Prefix tokens get zero. It is a constant of the
model, not a parameter. (MAE and timm put all sines before all cosines: the same up to an order of the channels.)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.nn.constants import constant
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import Place, PosEmbed, placed
from vitlab.nn.pos_embed._sinusoids import FixedTable, check_temperature, sinusoids
from vitlab.nn.pos_embed._stretched import Seen, StretchedSpec, coordinates


@constant
def grid_sinusoids(dims: BlockDims, temperature: float, seen: Seen = None) -> Tensor:
    """[L, D]: the waves of each patch's column, then those of its row"""
    (rows, columns), half = coordinates(dims, seen), dims.embed_dim // 2
    x = sinusoids(columns, half, temperature).repeat(len(rows), 1)
    y = sinusoids(rows, half, temperature).repeat_interleave(len(columns), dim=0)
    return torch.cat([x, y], dim=1)


@dataclass(frozen=True)
class Spec(StretchedSpec):
    """`temperature`: the base of the frequencies.

    `place`: at the stem or at every layer; all layers have the same table, shared or not.
    """

    temperature: float = 10000.0
    place: Place = "stem"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_temperature(self.temperature)

    def build(self, dims: BlockDims) -> PosEmbed:
        table = grid_sinusoids(dims, self.temperature, self.seen)
        return placed(lambda: FixedTable(table, dims), self.place, dims)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.embed_dim % 4:
            return f"pos_embed=sincos2d needs embed_dim divisible by 4 (sin and cos of x and y), not {dims.embed_dim}"
        return None
