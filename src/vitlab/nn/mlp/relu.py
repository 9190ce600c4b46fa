"""Two layers with max(x, 0) between: the MLP of "Attention is all you need" (arXiv 1706.03762)."""

from dataclasses import dataclass

from torch import nn
from torch.nn.functional import relu

from vitlab.nn.dims import BlockDims
from vitlab.nn.mlp._base import MLPSpec, TwoLayerMLP


@dataclass(frozen=True)
class Spec(MLPSpec):
    """No settings of its own."""

    def build(self, dims: BlockDims) -> nn.Module:
        return TwoLayerMLP(dims, relu)
