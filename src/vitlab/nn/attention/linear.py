"""Linear attention: φ(q) (φ(k)ᵀ v) / (φ(q) · Σ φ(k) + eps), φ = elu + 1 (arXiv 2006.16236, equations 4, 5 and 7).

O(N) time and memory: the K×K matrix φ(k)ᵀ v is formed first. Bidirectional, without scaling of the logits. Rows of the
weights sum to one but for eps. A position bias has no place in it: there are no logits.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._features import exactly, feature_attention, feature_weights
from vitlab.nn.dims import BlockDims


class Linear(Attention):
    """Weights proportional to φ(q) · φ(k), applied without ever forming them."""

    def __init__(self, eps: float):
        super().__init__()
        self.eps = eps

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        return feature_attention(_features(q), _features(k), v, self.eps)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]"""
        return feature_weights(_features(q), _features(k), self.eps).to(q.dtype)


def _features(x: Tensor) -> Tensor:
    """elu(x) + 1, without adding 1 to what is nearly -1: e^x where x is negative."""
    (x,) = exactly(x)
    return torch.where(x > 0, x + 1, x.clamp(max=0).exp())


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`eps`: added to the normaliser; 1e-6 as in the authors' code."""

    accepts_bias: ClassVar[bool] = False
    eps: float = 1e-6

    def __post_init__(self) -> None:
        if self.eps <= 0:
            raise SpecError(f"attention.eps={self.eps}: must be positive, or tokens without features divide by zero")

    def build(self, dims: BlockDims) -> Attention:
        return Linear(self.eps)
