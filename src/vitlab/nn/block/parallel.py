"""Mixer and MLP side by side: y = x + mix(norm1 x) + mlp(norm1 x), with one norm for both.

ViT-22B's block (arXiv 2302.05442, section 2, "parallel layers"), after GPT-J's. The MLP does not see what the block's
own mixer found, and the two can run at once. Their layer scales and drop paths are their own, as in every block.
ViT-22B also has a qk-norm and no biases on q, k and v, which are fields of the model (`qk_norm`, `qkv_bias`), and no
biases in its norms, which `norm=layer` has. `norm2` is an identity without parameters.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from vitlab.nn.block._base import Block, BlockSpec
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class Parallel(Block):
    """Both branches start from the same normalised tensor."""

    def __init__(self, dims: BlockDims):
        super().__init__(dims)
        self.norm2 = nn.Identity()

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        normed = self.norm1(x)
        return x + self.mixing(normed, positions, keys) + self.feeding(normed, keys)


@dataclass(frozen=True)
class Spec(BlockSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Block:
        return Parallel(dims)
