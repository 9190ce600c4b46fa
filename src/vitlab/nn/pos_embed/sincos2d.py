"""Fixed two-dimensional sinusoids (arXiv 1706.03762 section 3.5, on both axes as in MoCo v3, MAE).

D is split in two: the first half encodes the column x, the second the row y. Inside a half, sin and cos alternate with
frequencies temperature^(-2i / (D/2)); positions are integers from 0. Prefix tokens get zero. It is a constant of the
model, not a parameter. (MAE and timm put all sines before all cosines: the same up to an order of the channels.)
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import AtStem, Place, PosEmbed, PosEmbedSpec, placed


def sinusoids(positions: Tensor, width: int, temperature: float) -> Tensor:
    """positions [n] -> [n, width]: sin and cos in turn, over width / 2 frequencies. Double precision inside."""
    exponents = torch.arange(0, width, 2, dtype=torch.float64) / width
    angles = positions.double()[:, None] * temperature**-exponents
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class SinCos2d(AtStem):
    """tokens + a constant [1, N, D]"""

    table: Tensor

    def __init__(self, dims: BlockDims, temperature: float):
        super().__init__()
        rows, columns = dims.grid
        half = dims.embed_dim // 2
        x = sinusoids(torch.arange(columns), half, temperature).repeat(rows, 1)
        y = sinusoids(torch.arange(rows), half, temperature).repeat_interleave(columns, dim=0)
        table = pad(torch.cat([x, y], dim=1), (0, 0, dims.num_prefix_tokens, 0))
        self.register_buffer("table", table[None].to(torch.get_default_dtype()), persistent=False)

    def add(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return tokens + self.table


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`temperature`: the base of the frequencies.

    `place`: at the stem or at every layer; all layers have the same table, shared or not.
    """

    temperature: float = 10000.0
    place: Place = "stem"

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise SpecError(f"pos_embed.temperature={self.temperature}: must be positive")

    def build(self, dims: BlockDims) -> PosEmbed:
        return placed(lambda: SinCos2d(dims, self.temperature), self.place, dims)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.embed_dim % 4:
            return f"pos_embed=sincos2d needs embed_dim divisible by 4 (sin and cos of x and y), not {dims.embed_dim}"
        return None
