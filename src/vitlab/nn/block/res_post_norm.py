"""Norm at the end of each branch: a = x + norm1(mix x); y = a + norm2(mlp a). Swin v2's block (arXiv 2111.09883, 3.2).

The stream itself is never normalised, so it is no `post_norm`; and a branch adds values of the norm's size however
deep it stands. Layer scale and drop path, of which Swin v2 has the second, stand outermost, as in every block. timm's
`ResPostBlock`, which starts its norms' weights at the layer scale instead of having one, is this without a layer scale.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from vitlab.nn.block._base import Block, BlockSpec, OneOfEach
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class ResPostNorm(OneOfEach):
    """What each branch adds is normalised."""

    def mixing(self, x: Tensor, positions: PosEmbed, keys: Tensor | None) -> Tensor:
        """The first branch with its norm: [B, N, D] -> [B, N, D]"""
        return self.drop_path1(self.ls1(self.norm1(self.attn(x, positions, keys))), keys)

    def feeding(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """The second branch with its norm: [B, N, D] -> [B, N, D]"""
        return self.drop_path2(self.ls2(self.norm2(self.mlp(x, keys))), keys)

    def added(self) -> dict[str, nn.Module]:
        return self.branches()

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        x = x + self.mixing(x, positions, keys)
        return x + self.feeding(x, keys)


@dataclass(frozen=True)
class Spec(BlockSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Block:
        return ResPostNorm(dims)
