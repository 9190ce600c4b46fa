"""The contract of a pooling: tokens [B, N, D], prefix tokens first -> [B, D]."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.base.spec import Component
from vitlab.nn.dims import BlockDims


class Pool(nn.Module):
    """Base class of the poolings."""

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, D]"""
        raise NotImplementedError


@dataclass(frozen=True)
class PoolSpec(Component):
    """A pooling's settings."""

    family: ClassVar[str] = "vitlab.nn.pool"
    needs_cls_token: ClassVar[bool] = False

    def build(self, dims: BlockDims) -> Pool:
        """The pooling over `dims.num_tokens` tokens."""
        raise NotImplementedError
