"""Ordinary training: the gradient at the current weights."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from vitlab.optim.update._base import Gradient, UpdateSpec


@dataclass(frozen=True)
class Spec(UpdateSpec):
    """No settings."""

    def gradient(self, gradient: Gradient, weights: list[Tensor], rates: Sequence[float]) -> list[Tensor]:
        return gradient()
