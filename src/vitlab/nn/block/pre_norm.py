"""Norm first: a = x + mix(norm1 x); y = a + mlp(norm2 a). The ViT paper's block (arXiv 2010.11929, eq. 2 and 3)."""

from dataclasses import dataclass

from torch import Tensor, nn

from vitlab.nn.block._base import Block, BlockSpec, OneOfEach
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class PreNorm(OneOfEach):
    """The residual stream is never normalised."""

    def added(self) -> dict[str, nn.Module]:
        return self.branches()

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        x = x + self.mixing(self.norm1(x), positions, keys)
        return x + self.feeding(self.norm2(x), keys)


@dataclass(frozen=True)
class Spec(BlockSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Block:
        return PreNorm(dims)
