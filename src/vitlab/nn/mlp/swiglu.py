"""Gated MLP: fc2(silu(fc1_g x) * fc1_x x) (Shazeer, arXiv 2002.05202).

`mlp_ratio` gives the hidden width M, as for the other MLPs; with three matrices instead of two, an equal number of
parameters needs two thirds of their ratio. Names and the order gate-first are those of timm's `SwiGLU`.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import silu

from vitlab.nn.dims import BlockDims
from vitlab.nn.mlp._base import MLP, MLPSpec


class SwiGLU(MLP):
    """silu(x W_g + b_g) * (x W_x + b_x), dropped out, then W_2."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.fc1_g = nn.Linear(dims.embed_dim, dims.mlp_dim, bias=dims.mlp_bias)
        self.fc1_x = nn.Linear(dims.embed_dim, dims.mlp_dim, bias=dims.mlp_bias)
        self.end(dims)

    def hidden(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, M]"""
        return silu(self.fc1_g(x)) * self.fc1_x(x)


@dataclass(frozen=True)
class Spec(MLPSpec):
    """No settings of its own."""

    def build(self, dims: BlockDims) -> nn.Module:
        return SwiGLU(dims)
