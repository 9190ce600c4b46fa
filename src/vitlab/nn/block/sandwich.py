"""Norm on both sides of each branch: a = x + norm1_post(mix(norm1 x)); y = a + norm2_post(mlp(norm2 a)).

"Sandwich-LN" of CogView (arXiv 2105.13290), where the norm after a branch keeps its values from blowing
up in half precision. The residual stream itself is never normalised, as in `pre_norm`. Layer scale and drop path, which
the paper does not have, stand outermost, as in every block: x + drop(scale · norm1_post(mix(norm1 x))). (Inside, the
norm would undo the scale.) O(N) on top of mixer and MLP.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from vitlab.nn.block._base import Block, BlockSpec, OneOfEach
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class Sandwich(OneOfEach):
    """Four norms: norm1 and norm1_post around the mixer, norm2 and norm2_post around the MLP."""

    def __init__(self, dims: BlockDims):
        super().__init__(dims)
        self.norm1_post = dims.norm.build(dims.embed_dim)
        self.norm2_post = dims.norm.build(dims.embed_dim)

    def mixing(self, x: Tensor, positions: PosEmbed, keys: Tensor | None) -> Tensor:
        """The first branch with the norm after it: [B, N, D] -> [B, N, D]"""
        return self.drop_path1(self.ls1(self.norm1_post(self.attn(x, positions, keys))), keys)

    def feeding(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """The second branch with the norm after it: [B, N, D] -> [B, N, D]"""
        return self.drop_path2(self.ls2(self.norm2_post(self.mlp(x, keys))), keys)

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
        return Sandwich(dims)
