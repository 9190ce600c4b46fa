"""The contract of an MLP: tokens [B, N, D] -> [B, N, D], each token on its own, through width `mlp_dim` (M)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec
from vitlab.nn.stochastic import Dropout


@dataclass(frozen=True)
class MLPSpec(PartSpec):
    """An MLP's settings."""

    family: ClassVar[str] = "vitlab.nn.mlp"

    def build(self, dims: BlockDims) -> nn.Module:
        """A module with `forward(x, keys)`."""
        raise NotImplementedError


class TwoLayerMLP(nn.Module):
    """fc2(dropout(activation(fc1(x)))), the transformer's classical MLP, with dropout after both layers."""

    def __init__(self, dims: BlockDims, activation: Callable[[Tensor], Tensor]):
        super().__init__()
        self.fc1 = nn.Linear(dims.embed_dim, dims.mlp_dim)
        self.fc2 = nn.Linear(dims.mlp_dim, dims.embed_dim)
        self.drop1 = Dropout(dims.mlp_dropout, f"blocks.{dims.layer}.mlp.drop1")
        self.drop2 = Dropout(dims.mlp_dropout, f"blocks.{dims.layer}.mlp.drop2")
        self.activation = activation

    def forward(self, x: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return self.drop2(self.fc2(self.drop1(self.activation(self.fc1(x)), keys)), keys)
