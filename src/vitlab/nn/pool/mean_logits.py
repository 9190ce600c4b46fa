"""Classify every patch token, then take the mean of their logits: 1/L · Σ head(token), as TomViT does.

Prefix tokens are left out. A norm after the pooling (`final_norm=after_pool`) belongs to the classifier, and so acts on
each token. With a linear head and no such norm this is the same function as `mean`, which asks the head once; with a
head that bends (mlp, cosine) it is another. As a representation it gives the mean token. O(N), L times the head's cost.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from vitlab.nn.dims import BlockDims
from vitlab.nn.pool._base import Pool, PoolSpec
from vitlab.nn.pool._patch_mean import PatchMean


class MeanLogits(PatchMean):
    """Every patch votes."""

    def logits(self, tokens: Tensor, classify: Callable[[Tensor], Tensor]) -> Tensor:
        """[B, N, D] -> [B, Y]"""
        return classify(tokens[:, self.num_prefix_tokens :]).mean(dim=1)


@dataclass(frozen=True)
class Spec(PoolSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Pool:
        return MeanLogits(dims.num_prefix_tokens)
