"""Fixed one-dimensional sinusoids over the patches in raster order (arXiv 1706.03762, section 3.5).

Patch p gets sin and cos of p · temperature^(-2i / D) in turn, i < D/2; p counts from 0, row by row. Prefix tokens get
zero; the paper has none. It is a constant [1, N, D] of the model, not a parameter. O(N) time.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.nn.constants import constant
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import Place, PosEmbed, PosEmbedSpec, placed
from vitlab.nn.pos_embed._sinusoids import FixedTable, check_temperature, sinusoids


@constant
def line_sinusoids(dims: BlockDims, temperature: float) -> Tensor:
    """[L, D]: the waves of each patch's place on the raster line"""
    return sinusoids(torch.arange(dims.num_patches), dims.embed_dim, temperature)


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """`temperature`: the base of the frequencies.

    `place`: at the stem or at every layer; all layers have the same table, shared or not.
    """

    temperature: float = 10000.0
    place: Place = "stem"

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    def build(self, dims: BlockDims) -> PosEmbed:
        table = line_sinusoids(dims, self.temperature)
        return placed(lambda: FixedTable(table, dims), self.place, dims)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.embed_dim % 2:
            return f"pos_embed=sincos needs an even embed_dim (sin and cos), not {dims.embed_dim}"
        return None
