"""The contract of a head: pooled representation [B, D] -> logits [B, Y]."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec


@dataclass(frozen=True)
class HeadSpec(PartSpec):
    """A head's settings."""

    family: ClassVar[str] = "vitlab.nn.head"

    def build(self, dims: BlockDims) -> nn.Module:
        """A module [B, D] -> [B, Y]."""
        raise NotImplementedError
