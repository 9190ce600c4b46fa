"""Two layers with GELU between, x·Φ(x) (arXiv 1606.08415): the ViT paper's MLP. The exact form, not tanh's."""

from dataclasses import dataclass

from torch import nn
from torch.nn.functional import gelu

from vitlab.nn.dims import BlockDims
from vitlab.nn.mlp._base import MLPSpec, TwoLayerMLP


@dataclass(frozen=True)
class Spec(MLPSpec):
    """No settings of its own."""

    def build(self, dims: BlockDims) -> nn.Module:
        return TwoLayerMLP(dims, gelu)
