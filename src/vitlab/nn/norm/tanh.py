"""Dynamic Tanh: y = tanh(alpha · x) * weight + bias, no norm at all (arXiv 2503.10622, section 4).

`alpha` is one learned number, weight and bias are a channel's. Nothing is averaged: large values saturate, as a layer
norm squashes a token's outliers, but without looking at the token's other channels. O(N), no reduction.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.nn.kinds import Kind
from vitlab.nn.norm._base import NormSpec


class DynamicTanh(nn.Module):
    """weight and bias [width], alpha [1]"""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"alpha": "norm", "weight": "norm", "bias": "norm"}

    def __init__(self, width: int, alpha: float):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((1,), alpha))
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] -> [..., width]"""
        return torch.tanh(self.alpha * x) * self.weight + self.bias


@dataclass(frozen=True)
class Spec(NormSpec):
    """`alpha`: where alpha starts; 0.5 is the paper's default outside language models."""

    alpha: float = 0.5

    def __post_init__(self) -> None:
        if self.alpha <= 0:
            raise SpecError(f"norm.alpha={self.alpha}: must be positive")

    def build(self, width: int) -> nn.Module:
        return DynamicTanh(width, self.alpha)
