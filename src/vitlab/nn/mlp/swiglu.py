"""Gated MLP: fc2(silu(fc1_g x) * fc1_x x) (Shazeer, arXiv 2002.05202).

`mlp_ratio` gives the hidden width M, as for the other MLPs; with three matrices instead of two, an equal number of
parameters needs two thirds of their ratio. Names and the order gate-first are those of timm's `SwiGLU`.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import silu

from vitlab.nn.dims import BlockDims
from vitlab.nn.mlp._base import MLPSpec
from vitlab.nn.stochastic import Dropout


class SwiGLU(nn.Module):
    """silu(x W_g + b_g) * (x W_x + b_x), dropped out, then W_2."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.fc1_g = nn.Linear(dims.embed_dim, dims.mlp_dim)
        self.fc1_x = nn.Linear(dims.embed_dim, dims.mlp_dim)
        self.fc2 = nn.Linear(dims.mlp_dim, dims.embed_dim)
        self.drop1 = Dropout(dims.mlp_dropout, f"blocks.{dims.layer}.mlp.drop1")
        self.drop2 = Dropout(dims.mlp_dropout, f"blocks.{dims.layer}.mlp.drop2")

    def forward(self, x: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return self.drop2(self.fc2(self.drop1(silu(self.fc1_g(x)) * self.fc1_x(x), keys)), keys)


@dataclass(frozen=True)
class Spec(MLPSpec):
    """No settings of its own."""

    def build(self, dims: BlockDims) -> nn.Module:
        return SwiGLU(dims)
