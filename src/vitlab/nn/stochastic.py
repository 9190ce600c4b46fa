"""Dropout and stochastic depth from sample keys.

`keys` [B] are given by the training step (see `vitlab.rng`); without keys both are the identity. So a model is
deterministic unless somebody hands it keys, and cannot be evaluated in "training mode" by accident.
"""

import torch
from torch import Tensor, nn

from vitlab.rng import chances, uniform


class Dropout(nn.Module):
    """Zero each value with probability `rate`, scale the rest by 1 / (1 - rate) (Srivastava et al., 2014).

    The probability is rounded to a multiple of 2^-16: drawing the mask is what dropout costs, and short numbers do.
    """

    def __init__(self, rate: float, tag: str):
        super().__init__()
        self.rate, self.tag = rate, tag
        self.first_kept = min(round(rate * 2**16), 2**16 - 1) - 2**15  # of the values of an int16

    def forward(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """[B, ...] -> [B, ...]"""
        if keys is None or self.rate == 0:
            return x
        kept = chances(keys, self.tag, x[0].numel()) >= self.first_kept
        return torch.where(kept.reshape(x.shape), x * (1 / (1 - self.rate)), 0.0)


class DropPath(nn.Module):
    """Drop a whole residual branch per sample (stochastic depth, arXiv 1603.09382), scaling the rest likewise."""

    def __init__(self, rate: float, tag: str):
        super().__init__()
        self.rate, self.tag = rate, tag

    def forward(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        if keys is None or self.rate == 0:
            return x
        kept = uniform(keys, self.tag, 1)[..., None] >= self.rate
        return x * (kept.to(x.dtype) / (1 - self.rate))
