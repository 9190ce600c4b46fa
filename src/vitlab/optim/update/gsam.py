"""Surrogate-gap guided sharpness-aware minimisation (arXiv 2203.08065, algorithm 1).

GSAM takes the gradient g_p of the worst weights nearby, as SAM does, and climbs along the part of the clean gradient g
that is orthogonal to it, which narrows the gap between the two losses and leaves the worse one as it is:

    g_⊥ = g - (g·g_p / ‖g_p‖²) g_p        the step is taken with g_p - α g_⊥

ρ follows the learning rate: rho_min + (rho_max - rho_min)·(lr - min_lr) / (base rate - min_lr), kept between the two in
a warm-up that begins below min_lr. rho_min = rho_max and alpha = 0 are SAM. Products and norms are global. Two forward
and two backward passes a step; the recorded training loss is that at the weights. Published settings (ρ_max/ρ_min/α):
ViT-S/32 .6/0/.4, S/16 .6/0/1.0, B/32 .6/.1/.6, B/16 .6/.2/.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.optim.update._base import Gradient, UpdateSpec
from vitlab.optim.update._perturbed import EPS, both_gradients


@dataclass(frozen=True)
class Spec(UpdateSpec):
    """`rho_max` at the base rate, `rho_min` at the smallest; `alpha`: how much of the orthogonal part is climbed."""

    rho_max: float = 0.6
    rho_min: float = 0.2
    alpha: float = 0.4

    def __post_init__(self) -> None:
        if not 0 <= self.rho_min <= self.rho_max:
            raise SpecError(
                f"optim.update.rho_min={self.rho_min} and rho_max={self.rho_max}: must be 0 <= rho_min <= rho_max"
            )
        if self.alpha < 0:
            raise SpecError(f"optim.update.alpha={self.alpha}: must not be negative")

    def gradient(self, gradient: Gradient, weights: list[Tensor], rates: Sequence[float]) -> list[Tensor]:
        radii = [self.rho_min + (self.rho_max - self.rho_min) * rate for rate in rates]
        clean, perturbed = both_gradients(gradient, weights, radii)
        along = _products(clean, perturbed) / (_products(perturbed, perturbed) + EPS)
        for ours, step in zip(clean, perturbed, strict=True):
            orthogonal = ours.addcmul_(along, step, value=-1)
            step.sub_(orthogonal, alpha=self.alpha)
        return perturbed


def _products(one: list[Tensor], other: list[Tensor]) -> Tensor:
    """Inner products over all parameters of a run: [R, P] a group -> [R, 1]"""
    return torch.stack([(a * b).sum(dim=1) for a, b in zip(one, other, strict=True)]).sum(dim=0)[:, None]
