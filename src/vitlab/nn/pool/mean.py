"""The mean of the patch tokens; prefix tokens are left out (the ViT paper's "GAP", arXiv 2010.11929, appendix D.3).

With a linear head and no norm after the pooling this equals the mean of per-token logits, TomViT's way to say it.
"""

from dataclasses import dataclass

from torch import Tensor

from vitlab.nn.dims import BlockDims
from vitlab.nn.pool._base import Pool, PoolSpec


class Mean(Pool):
    """The mean over the L patch tokens."""

    def __init__(self, num_prefix_tokens: int):
        super().__init__()
        self.num_prefix_tokens = num_prefix_tokens

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, D]"""
        return tokens[:, self.num_prefix_tokens :].mean(dim=1)


@dataclass(frozen=True)
class Spec(PoolSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Pool:
        return Mean(dims.num_prefix_tokens)
