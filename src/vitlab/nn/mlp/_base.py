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


class MLP(nn.Module):
    """fc2(norm(dropout(hidden(x)))), with dropout after both layers; a variant's `hidden` says what is in the middle.

    A variant makes its own layers first, then calls `end`, so that parameters stand in the order of the computation.
    """

    def end(self, dims: BlockDims, width: int | None = None) -> None:
        """Make what follows the middle, which is M or `width` wide; `norm` is an identity but with `scale_mlp_norm`."""
        width = dims.mlp_dim if width is None else width
        self.drop1 = Dropout(dims.mlp_dropout, f"{dims.place}.mlp.drop1")
        self.norm = dims.norm.build(width) if dims.scale_mlp_norm else nn.Identity()
        self.fc2 = nn.Linear(width, dims.embed_dim, bias=dims.mlp_bias)
        self.drop2 = Dropout(dims.mlp_dropout, f"{dims.place}.mlp.drop2")

    def hidden(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, width]"""
        raise NotImplementedError

    def forward(self, x: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return self.drop2(self.fc2(self.norm(self.drop1(self.hidden(x), keys))), keys)


class TwoLayerMLP(MLP):
    """activation(fc1(x)) in the middle: the transformer's classical MLP."""

    def __init__(self, dims: BlockDims, activation: Callable[[Tensor], Tensor]):
        super().__init__()
        self.fc1 = nn.Linear(dims.embed_dim, dims.mlp_dim, bias=dims.mlp_bias)
        self.activation = activation
        self.end(dims)

    def hidden(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, M]"""
        return self.activation(self.fc1(x))
