"""Fixed linear biases: the farther two patches are apart, the less they attend to each other.

    bias(h, i, j) = -m_h · distance(i, j),    m_h = 2^(-8(h + 1) / H),  h = 0 … H-1

ALiBi's slopes (arXiv 2108.12409, section 3) on the Euclidean distance of two patches on the grid, in patches, as in
CROMA (arXiv 2311.00566, "2D-ALiBi"). Prefix tokens stand nowhere: their bias is 0. Differs from the authors' code where
H is no power of two: it takes the slopes of the next lower power and fills up from those of the next higher; here the
formula of the paper serves every H. A constant [H, N, N] of the model, no parameters; O(N²) time and memory.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import pad

from vitlab.nn.constants import constant
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed, pairs_at
from vitlab.nn.pos_embed._stretched import Seen, StretchedSpec, coordinates


@constant
def distance_biases(dims: BlockDims, seen: Seen = None) -> Tensor:
    """[H, N, N]: minus each attention head's slope times the distance on the grid, zero for prefix tokens"""
    places = torch.cartesian_prod(*coordinates(dims, seen))  # [L, 2]
    distances = torch.hypot(*(places[:, None] - places[None, :]).unbind(-1))
    slopes = 2.0 ** (-8 * torch.arange(1, dims.num_heads + 1, dtype=torch.float64) / dims.num_heads)
    prefix = dims.num_prefix_tokens
    biases = pad(-slopes[:, None, None] * distances, (prefix, 0, prefix, 0))
    return biases.to(torch.get_default_dtype())


class ALiBi2d(PosEmbed):
    """The same constant on the logits of every block and image."""

    biases: Tensor

    def __init__(self, dims: BlockDims, seen: Seen):
        super().__init__()
        self.register_buffer("biases", distance_biases(dims, seen), persistent=False)

    def bias(self, q: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, H, N, K] -> [H, N, N]; [B, H, n, n] at some places"""
        if places is None:
            return self.biases
        return pairs_at(self.biases.movedim(0, -1), places).movedim(-1, 1)


@dataclass(frozen=True)
class Spec(StretchedSpec):
    """No settings of its own."""

    gives_bias: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> PosEmbed:
        return ALiBi2d(dims, self.seen)
