"""The cls token alone, as in BERT and the ViT paper (arXiv 2010.11929, equation 4)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.nn.dims import BlockDims
from vitlab.nn.pool._base import Pool, PoolSpec


class Cls(Pool):
    """The first token."""

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, D]"""
        return tokens[:, 0]


@dataclass(frozen=True)
class Spec(PoolSpec):
    """No settings."""

    needs_cls_token: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> Pool:
        return Cls()
