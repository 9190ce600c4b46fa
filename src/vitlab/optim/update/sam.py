"""Sharpness-aware minimisation (arXiv 2010.01412): step with the gradient of the worst weights nearby.

e = ρ g / (‖g‖ + 1e-12), to first order the worst of the ball of radius ρ; the step from w is taken with the gradient at
w + e. Norms are global. Two forward and two backward passes a step. The recorded training loss is that at w. Under
several processes e is of the whole batch's gradient, as of one process; the paper perturbs each accelerator's share by
itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.optim.update._base import Gradient, UpdateSpec
from vitlab.optim.update._perturbed import both_gradients


@dataclass(frozen=True)
class Spec(UpdateSpec):
    """`rho`: the radius; the paper's .05 is for small pictures, ViTs on ImageNet take more."""

    rho: float = 0.05

    def __post_init__(self) -> None:
        if self.rho < 0:
            raise SpecError(f"optim.update.rho={self.rho}: must not be negative")

    def gradient(self, gradient: Gradient, weights: list[Tensor], rates: Sequence[float]) -> list[Tensor]:
        return both_gradients(gradient, weights, [self.rho] * len(rates)).perturbed
