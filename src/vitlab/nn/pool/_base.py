"""The contract of a pooling: tokens [B, N, D], prefix tokens first -> the representation [B, W], and its logits.

    forward(tokens)            -> [B, W]     the representation, which probes read too
    logits(tokens, classify)   -> [B, Y]

W is D, or a multiple of it (`times_wider`). The logits normally are `classify(forward(tokens))`; a variant may classify
first and pool what comes of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec


class Pool(nn.Module):
    """Base class of the poolings."""

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, W]"""
        raise NotImplementedError

    def logits(self, tokens: Tensor, classify: Callable[[Tensor], Tensor]) -> Tensor:
        """tokens [B, N, D] and the classifier [..., W] -> [..., Y]: logits [B, Y]"""
        return classify(self(tokens))


@dataclass(frozen=True)
class PoolSpec(PartSpec):
    """A pooling's settings."""

    family: ClassVar[str] = "vitlab.nn.pool"
    needs_cls_token: ClassVar[bool] = False
    times_wider: ClassVar[int] = 1  # W / D

    def build(self, dims: BlockDims) -> Pool:
        """The pooling over `dims.num_tokens` tokens."""
        raise NotImplementedError
