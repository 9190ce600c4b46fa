"""The contract of a norm: tokens [..., width] -> [..., width], each token on its own."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from vitlab.base.spec import Component


@dataclass(frozen=True)
class NormSpec(Component):
    """A norm's settings. `width` is `embed_dim` for a block's norms and `head_dim` for the qk-norm."""

    family: ClassVar[str] = "vitlab.nn.norm"

    def build(self, width: int) -> nn.Module:
        """The norm over the last axis, of size `width`."""
        raise NotImplementedError
