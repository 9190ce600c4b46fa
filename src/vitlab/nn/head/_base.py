"""The contract of a head: pooled representation [..., D] -> logits [..., Y]."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec


class Logits(nn.Linear):
    """A head's last layer where that is W x + b. An initialisation treats it apart: `head_bias`, `zero_head`."""


@dataclass(frozen=True)
class HeadSpec(PartSpec):
    """A head's settings."""

    family: ClassVar[str] = "vitlab.nn.head"
    ends_linear: ClassVar[bool] = True  # its last layer is a `Logits`, which may start from zero

    @property
    def has_bias(self) -> bool:
        """Whether its last layer adds a bias, which an initialisation may set."""
        return self.ends_linear

    def build(self, dims: BlockDims) -> nn.Module:
        """A module [..., D] -> [..., Y]."""
        raise NotImplementedError
