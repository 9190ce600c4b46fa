"""Cosine similarity of the representation and each class's weight: logits = scale · (x / ‖x‖) · (w_y / ‖w_y‖).

The "cosine-similarity based recognition model" of arXiv 1804.09458, whose τ is `scale`: lengths say nothing, so that
classes with few examples compete with classes with many. The scale is learned, since cosines alone leave a softmax
nearly uniform. The authors' code adds one scalar to all logits, which a softmax cannot see: it is left out. A zero
weight has no direction, so this head cannot start from zero; and it has no bias to set. O(1) in tokens.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.head._base import HeadSpec
from vitlab.nn.kinds import Kind


class Cosine(nn.Module):
    """weight [Y, D], of which only the directions count, and scale [1]"""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"weight": "kernel", "scale": "scale"}

    def __init__(self, dims: BlockDims, scale: float):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(dims.num_classes, dims.embed_dim))
        self.scale = nn.Parameter(torch.full((1,), scale))

    def forward(self, x: Tensor) -> Tensor:
        """[..., D] -> [..., Y]"""
        return self.scale * linear(normalize(x, dim=-1), normalize(self.weight, dim=-1))


@dataclass(frozen=True)
class Spec(HeadSpec):
    """`scale`: where the learned scale starts; 10 as in the authors' code."""

    ends_linear: ClassVar[bool] = False
    scale: float = 10.0

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise SpecError(f"head.scale={self.scale}: must be positive")

    def build(self, dims: BlockDims) -> nn.Module:
        return Cosine(dims, self.scale)
