"""Two layers with x·σ(1.702 x) between, near to GELU (arXiv 1606.08415, section 2): the MLP of OpenAI's CLIP."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.mlp._base import MLPSpec, TwoLayerMLP


def quick_gelu(x: Tensor) -> Tensor:
    """[...] -> [...]"""
    return x * torch.sigmoid(1.702 * x)


@dataclass(frozen=True)
class Spec(MLPSpec):
    """No settings of its own."""

    def build(self, dims: BlockDims) -> nn.Module:
        return TwoLayerMLP(dims, quick_gelu)
