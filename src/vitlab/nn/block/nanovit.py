"""The second residual starts from the normalised tensor: a = x + mix(norm1 x); b = norm2 a; y = b + mlp b.

nanovit's block, which has no paper: a `pre_norm` first half, and a second half whose residual is normalised away as in
`post_norm`. So the stream enters every block but the first as (normalised + MLP's output).
"""

from dataclasses import dataclass

from torch import Tensor

from vitlab.nn.block._base import Block, BlockSpec, OneOfEach
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class NanoViT(OneOfEach):
    """The residual stream is normalised between mixer and MLP."""

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        x = self.norm2(x + self.mixing(self.norm1(x), positions, keys))
        return x + self.feeding(x, keys)


@dataclass(frozen=True)
class Spec(BlockSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Block:
        return NanoViT(dims)
