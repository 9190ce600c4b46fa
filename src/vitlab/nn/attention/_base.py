"""The contract of an attention mechanism.

    forward(q, k, v, bias, keys) -> [B, H, N, K]     may be fused or re-ordered: what training runs
    weights(q, k, bias)          -> [B, H, N, N]     the equation, in two or three lines: what probes read

so that `forward(q, k, v, bias)` is `weights(q, k, bias) @ v`; a test in double precision holds every variant to it.
q, k and v are [B, H, N, K], and the values may be of another width: a mixer may weigh those of several heads together.
bias is added to the logits, [H, N, N] or [B, H, N, N] or None. Sample keys [B] are handed over in training only, to the
few mechanisms that draw random numbers.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec


class Attention(nn.Module):
    """Base class of the mechanisms."""

    rows_sum_to_one: bool = True  # whether `weights` is a distribution over keys; attention rollout needs it

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        raise NotImplementedError

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N], query by key."""
        raise NotImplementedError


@dataclass(frozen=True)
class AttentionSpec(PartSpec):
    """An attention's settings."""

    family: ClassVar[str] = "vitlab.nn.attention"
    accepts_bias: ClassVar[bool] = True  # whether a position bias can be added to its logits
    needs_all_tokens: ClassVar[bool] = False  # whether it cannot be given some of the patches only

    def build(self, dims: BlockDims) -> Attention:
        """The mechanism for one block."""
        raise NotImplementedError
