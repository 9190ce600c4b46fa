"""Root-mean-square normalisation: y = x / sqrt(mean(x²) + eps) * weight; no mean, no bias (arXiv 1910.07467)."""

from dataclasses import dataclass

from torch import nn

from vitlab.nn.norm._base import NormSpec, check_eps


@dataclass(frozen=True)
class Spec(NormSpec):
    """`eps`: added to the mean square."""

    eps: float = 1e-6

    def __post_init__(self) -> None:
        check_eps(self.eps)

    def build(self, width: int) -> nn.Module:
        return nn.RMSNorm(width, eps=self.eps)
