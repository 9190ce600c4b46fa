"""Stochastic gradient descent with momentum (Polyak's, or Nesterov's), PyTorch's convention.

g = g + wd·w, u = momentum·u + g, w = w - lr·u (Nesterov: lr·(g + momentum·u)).
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.optim.optimizer._base import OptimizerSpec


@dataclass(frozen=True)
class Spec(OptimizerSpec):
    """`momentum`: the velocity's memory, 0 for none; `nesterov`: look ahead by one velocity."""

    slots: ClassVar[tuple[str, ...]] = ("momentum_buffer",)
    momentum: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise SpecError(f"optim.optimizer.momentum={self.momentum}: must be at least 0 and below 1")

    def step(
        self, weights: Tensor, gradient: Tensor, slots: dict[str, Tensor], count: int, lr: float, weight_decay: float
    ) -> None:
        if weight_decay:
            gradient = gradient.add(weights, alpha=weight_decay)
        velocity = slots["momentum_buffer"].mul_(self.momentum).add_(gradient)
        weights.add_(gradient.add(velocity, alpha=self.momentum) if self.nesterov else velocity, alpha=-lr)
