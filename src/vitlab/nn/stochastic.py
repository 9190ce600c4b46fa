"""Dropout and stochastic depth from sample keys.

`keys` [B] are given by the training step (see `vitlab.rng`); without keys both are the identity. So a model is
deterministic unless somebody hands it keys, and cannot be evaluated in "training mode" by accident.
"""

from torch import Tensor, nn

from vitlab.rng import uniform


class Dropout(nn.Module):
    """Zero each value with probability `rate`, scale the rest by 1 / (1 - rate) (Srivastava et al., 2014)."""

    def __init__(self, rate: float, tag: str):
        super().__init__()
        self.rate, self.tag = rate, tag

    def forward(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """[B, ...] -> [B, ...]"""
        if keys is None or self.rate == 0:
            return x
        kept = uniform(keys, self.tag, x[0].numel()) >= self.rate
        return x * kept.reshape(x.shape).to(x.dtype) / (1 - self.rate)


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
