"""The ViT paper's pre-training head: a tanh layer before the logits (arXiv 2010.11929, section 3.1)."""

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.head._base import HeadSpec, Logits


@dataclass(frozen=True)
class Spec(HeadSpec):
    """`hidden`: the width of the tanh layer; None is embed_dim, as in Google's checkpoints."""

    hidden: int | None = None

    def __post_init__(self) -> None:
        if self.hidden is not None and self.hidden <= 0:
            raise SpecError(f"head.hidden={self.hidden}: must be positive")

    def build(self, dims: BlockDims) -> nn.Module:
        width = dims.embed_dim if self.hidden is None else self.hidden
        pre_logits, logits = nn.Linear(dims.embed_dim, width), Logits(width, dims.num_classes)
        return nn.Sequential(OrderedDict(pre_logits=pre_logits, tanh=nn.Tanh(), logits=logits))
