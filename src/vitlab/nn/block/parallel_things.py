"""Several mixers side by side, then several MLPs: a = x + Σ mix_i(norm_i x); y = a + Σ mlp_i(norm'_i a).

"Three things everyone should know about ViTs" (arXiv 2203.09795, section 3): as many parameters as that many blocks one
after the other have, in fewer steps. Every branch has its own norm, layer scale and drop path. Names are those of
timm's `ParallelThingsBlock`: `attns.0.norm`, `attns.0.attn`, `attns.0.ls`, `ffns.0.mlp`.
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.nn.block._base import Block, BlockSpec, layer_scale, path_rate
from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._base import Mixer
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.nn.stochastic import DropPath


class MixerBranch(nn.Module):
    """scale · mix(norm x)"""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.norm = dims.norm.build(dims.embed_dim)
        self.attn: Mixer = dims.mixer.build(dims)
        self.ls = layer_scale(dims)
        self.drop_path = DropPath(path_rate(dims), f"{dims.place}.drop_path1")

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None) -> Tensor:
        """[B, N, D] -> what is added to it"""
        return self.drop_path(self.ls(self.attn(self.norm(x), positions, keys)), keys)


class MLPBranch(nn.Module):
    """scale · mlp(norm x)"""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.norm = dims.norm.build(dims.embed_dim)
        self.mlp: nn.Module = dims.mlp.build(dims)
        self.ls = layer_scale(dims)
        self.drop_path = DropPath(path_rate(dims), f"{dims.place}.drop_path2")

    def forward(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """[B, N, D] -> what is added to it"""
        return self.drop_path(self.ls(self.mlp(self.norm(x), keys)), keys)


class ParallelThings(Block):
    """All mixers see one tensor, all MLPs another."""

    def __init__(self, dims: BlockDims, number: int):
        super().__init__()
        places = [replace(dims, branch=f".{index}") for index in range(number)]  # so that each drops out by itself
        self.attns = nn.ModuleList(map(MixerBranch, places))
        self.ffns = nn.ModuleList(map(MLPBranch, places))

    def added(self) -> dict[str, nn.Module]:
        return {
            f"{name}.{index}": branch for name in ("attns", "ffns") for index, branch in enumerate(getattr(self, name))
        }

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        x = x + sum(branch(x, positions, keys) for branch in self.attns)
        return x + sum(branch(x, keys) for branch in self.ffns)


@dataclass(frozen=True)
class Spec(BlockSpec):
    """`number`: how many of each stand side by side."""

    number: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 16:
            raise SpecError(f"block.number={self.number}: must be from 1 to 16")

    def build(self, dims: BlockDims) -> Block:
        return ParallelThings(dims, self.number)
