"""One linear layer: logits = W x + b."""

from dataclasses import dataclass

from torch import nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.head._base import HeadSpec, Logits


@dataclass(frozen=True)
class Spec(HeadSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> nn.Module:
        return Logits(dims.embed_dim, dims.num_classes)
