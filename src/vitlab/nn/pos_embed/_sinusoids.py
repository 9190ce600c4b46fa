"""Waves of geometrically falling frequency (arXiv 1706.03762, section 3.5), for all that are made of them."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import AtStem, rows_at


def check_temperature(temperature: float) -> None:
    """Refuse what has no real powers."""
    if temperature <= 0:
        raise SpecError(f"pos_embed.temperature={temperature}: must be positive")


def frequencies(width: int, temperature: float) -> Tensor:
    """[width / 2]: temperature^(-2i / width), in double precision"""
    return temperature ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)


def sinusoids(positions: Tensor, width: int, temperature: float) -> Tensor:
    """positions [n] -> [n, width]: sin and cos in turn, over width / 2 frequencies, in double precision"""
    angles = positions.double()[:, None] * frequencies(width, temperature)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class FixedTable(AtStem):
    """tokens + a constant [1, N, D], which is zero for prefix tokens. It is no parameter and in no checkpoint."""

    table: Tensor

    def __init__(self, patches: Tensor, dims: BlockDims):
        super().__init__()
        table = pad(patches, (0, 0, dims.num_prefix_tokens, 0))
        self.register_buffer("table", table[None].to(torch.get_default_dtype()), persistent=False)

    def add(self, tokens: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return tokens + rows_at(self.table[0], places)
