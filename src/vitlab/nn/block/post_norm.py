"""Norm last: a = norm1(x + mix x); y = norm2(a + mlp a). The original transformer's block (arXiv 1706.03762, 5.4)."""

from dataclasses import dataclass

from torch import Tensor

from vitlab.nn.block._base import Block, BlockSpec, OneOfEach
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class PostNorm(OneOfEach):
    """The residual stream is normalised after every addition."""

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        x = self.norm1(x + self.mixing(x, positions, keys))
        return self.norm2(x + self.feeding(x, keys))


@dataclass(frozen=True)
class Spec(BlockSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Block:
        return PostNorm(dims)
