"""No mixing: the block's first half adds nothing, so patches meet only in the pooling. A baseline for other mixers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._base import Mixer, MixerSpec
from vitlab.nn.pos_embed._base import PosEmbed


class Identity(Mixer):
    """The mixing branch is zero, so the residual stream passes the block's first half unchanged."""

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> zeros [B, N, D]"""
        return torch.zeros_like(x)


@dataclass(frozen=True)
class Spec(MixerSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Mixer:
        return Identity()
