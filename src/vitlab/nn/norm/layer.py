"""Layer normalisation: y = (x - mean) / sqrt(variance + eps) * weight + bias (Ba et al., arXiv 1607.06450)."""

from dataclasses import dataclass

from torch import nn

from vitlab.nn.norm._base import NormSpec, check_eps


@dataclass(frozen=True)
class Spec(NormSpec):
    """`eps`: 1e-6 as in the ViT paper's code and timm; PyTorch's own default is 1e-5."""

    eps: float = 1e-6

    def __post_init__(self) -> None:
        check_eps(self.eps)

    def build(self, width: int) -> nn.Module:
        return nn.LayerNorm(width, eps=self.eps)
