"""One linear layer: logits = W x + b, or W x."""

from dataclasses import dataclass

from torch import nn

from vitlab.base.spec import added
from vitlab.nn.dims import BlockDims
from vitlab.nn.head._base import HeadSpec, Logits


@dataclass(frozen=True)
class Spec(HeadSpec):
    """`bias`: whether b is added; the projection into CLIP's joint space has none (arXiv 2103.00020, figure 3)."""

    bias: bool = added(True)

    @property
    def has_bias(self) -> bool:
        return self.bias

    def build(self, dims: BlockDims) -> nn.Module:
        return Logits(dims.embed_dim, dims.num_classes, bias=self.bias)
