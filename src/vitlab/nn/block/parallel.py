"""Mixer and MLP side by side: y = x + mix(norm1 x) + mlp(norm1 x), with one norm for both.

ViT-22B's block (arXiv 2302.05442, section 2, "parallel layers"), after GPT-J's. The MLP does not see what the block's
own mixer found, and the two can run at once. Their layer scales and drop paths are their own, as in every block.
ViT-22B also has a qk-norm and no biases on q, k and v, which are fields of the model (`qk_norm`, `qkv_bias`), and no
biases in its norms, which `norm=layer` has. `norm2` is an identity without parameters.

With `joint` the sum of both has one layer scale and one drop path, `ls1` and `drop_path1`, as timm's
`ParallelScalingBlock` has it: y = x + drop(scale · (mix(norm1 x) + mlp(norm1 x))). (That timm computes both first
layers as one matrix changes nothing about the function.)
"""

from dataclasses import dataclass

from torch import Tensor, nn

from vitlab.base.spec import added
from vitlab.nn.block._base import Block, BlockSpec, OneOfEach
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class Parallel(OneOfEach):
    """Both branches start from the same normalised tensor."""

    def __init__(self, dims: BlockDims):
        super().__init__(dims)
        self.norm2 = nn.Identity()


class Apart(Parallel):
    """Each branch has its own layer scale and drop path."""

    def added(self) -> dict[str, nn.Module]:
        return self.branches()

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        normed = self.norm1(x)
        return x + self.mixing(normed, positions, keys) + self.feeding(normed, keys)


class Joint(Parallel):
    """One layer scale and one drop path for both."""

    def __init__(self, dims: BlockDims):
        super().__init__(dims)
        del self.ls2, self.drop_path2

    def added(self) -> dict[str, nn.Module]:
        return {"both": self.drop_path1}

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        normed = self.norm1(x)
        both = self.attn(normed, positions, keys) + self.mlp(normed, keys)
        return x + self.drop_path1(self.ls1(both), keys)


@dataclass(frozen=True)
class Spec(BlockSpec):
    """`joint`: whether the two have one layer scale and one drop path together."""

    joint: bool = added(False)

    def build(self, dims: BlockDims) -> Block:
        return Joint(dims) if self.joint else Apart(dims)
