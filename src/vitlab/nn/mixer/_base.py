"""The contract of a mixer: tokens [B, N, D] -> [B, N, D], the one place of a block where tokens meet.

    forward(x, positions, keys)   -> [B, N, D]
    weights(x, positions)         -> [B, H, N, N]

The weights say how much of each token every token takes, from the definition, a map for each set of values that it
weighs: H of them, H / 2 where a mixer weighs the values of two attention heads by one map. A mixer without attention
has none, and the model's `attention` says nothing to it. Prefix tokens come first among the N.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.nn.stochastic import Dropout


class Mixer(nn.Module):
    """Base class of the mixers."""

    rows_sum_to_one: bool = False  # whether `weights` is a distribution over keys; attention rollout needs it

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """x [B, N, D], the block's positions, sample keys [B] or None -> [B, N, D]"""
        raise NotImplementedError

    def weights(self, x: Tensor, positions: PosEmbed) -> Tensor | None:
        """x [B, N, D] -> [B, H, N, N], query by key, from the definition; None for a mixer without attention."""
        return None


def output_dropout(dims: BlockDims) -> Dropout:
    """`mixer_dropout`: on the mixer's output, whatever mixes."""
    return Dropout(dims.mixer_dropout, f"{dims.place}.mixer.drop")


@dataclass(frozen=True)
class MixerSpec(PartSpec):
    """A mixer's settings."""

    family: ClassVar[str] = "vitlab.nn.mixer"
    has_logits: ClassVar[bool] = False  # whether queries, keys and logits exist for positions to act on
    uses_attention: ClassVar[bool] = False  # whether it is built around the model's `attention`
    needs_all_tokens: ClassVar[bool] = False  # whether it cannot be given some of the patches only

    def build(self, dims: BlockDims) -> Mixer:
        """The mixer of one block."""
        raise NotImplementedError
