"""The contract of a mixer: tokens [B, N, D] -> [B, N, D], the one place of a block where tokens meet."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.base.spec import Component
from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import PosEmbed


class Mixer(nn.Module):
    """Base class of the mixers."""

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """x [B, N, D], the block's positions, sample keys [B] or None -> [B, N, D]"""
        raise NotImplementedError


@dataclass(frozen=True)
class MixerSpec(Component):
    """A mixer's settings."""

    family: ClassVar[str] = "vitlab.nn.mixer"
    has_logits: ClassVar[bool] = False  # whether queries, keys and logits exist for positions to act on

    def build(self, dims: BlockDims) -> Mixer:
        """The mixer of one block."""
        raise NotImplementedError
