"""The contract of a block: tokens [B, N, D] -> [B, N, D] from a mixer, an MLP and two norms.

The names of most are timm's: norm1, attn (the mixer, whichever it is), ls1, drop_path1, norm2, mlp, ls2, drop_path2.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.mixer._base import Mixer
from vitlab.nn.part import PartSpec
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.nn.stochastic import DropPath


class LayerScale(nn.Module):
    """x · gamma, one learned factor a channel, started small (CaiT, arXiv 2103.17239)."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"gamma": "scale"}

    def __init__(self, width: int, start: float):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), start))

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return x * self.gamma


class Block(nn.Module):
    """Base class of the blocks."""

    def added(self) -> dict[str, nn.Module]:
        """Of a block that leaves the tokens it is given as they are and adds to them, y = x + Σ added(...): the modules
        whose outputs are added, by the name of what they begin with. Empty where it changes what is carried past, too.
        """
        return {}

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """x [B, N, D], the block's positions, sample keys [B] or None -> [B, N, D]"""
        raise NotImplementedError


class OneOfEach(Block):
    """One mixer and one MLP, as most blocks have; a variant's `forward` says how they are joined."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        rate = path_rate(dims)
        self.norm1 = dims.norm.build(dims.embed_dim)
        self.attn: Mixer = dims.mixer.build(dims)
        self.ls1 = layer_scale(dims)
        self.drop_path1 = DropPath(rate, f"{dims.place}.drop_path1")
        self.norm2 = dims.norm.build(dims.embed_dim)
        self.mlp: nn.Module = dims.mlp.build(dims)
        self.ls2 = layer_scale(dims)
        self.drop_path2 = DropPath(rate, f"{dims.place}.drop_path2")

    def branches(self) -> dict[str, nn.Module]:
        """Both branches, as what `added` returns where both are added to the tokens."""
        return {"attn": self.drop_path1, "mlp": self.drop_path2}

    def mixing(self, x: Tensor, positions: PosEmbed, keys: Tensor | None) -> Tensor:
        """The first branch, without norm and residual: [B, N, D] -> [B, N, D]"""
        return self.drop_path1(self.ls1(self.attn(x, positions, keys)), keys)

    def feeding(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """The second branch, without norm and residual: [B, N, D] -> [B, N, D]"""
        return self.drop_path2(self.ls2(self.mlp(x, keys)), keys)


def path_rate(dims: BlockDims) -> float:
    """The rate of a block's drop path: from 0 at the first to the model's at the last."""
    return dims.drop_path * dims.layer / max(dims.depth - 1, 1)


def layer_scale(dims: BlockDims) -> nn.Module:
    """That of a branch; an identity for a model without one."""
    return nn.Identity() if dims.layer_scale is None else LayerScale(dims.embed_dim, dims.layer_scale)


@dataclass(frozen=True)
class BlockSpec(PartSpec):
    """A block's settings."""

    family: ClassVar[str] = "vitlab.nn.block"

    def build(self, dims: BlockDims) -> Block:
        """The block number `dims.layer`."""
        raise NotImplementedError
