"""The contract of a norm: tokens [..., width] -> [..., width], each token on its own."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from vitlab.base.errors import SpecError
from vitlab.nn.part import PartSpec


def check_eps(eps: float) -> None:
    """Refuse an eps that is not positive: a constant token would be divided by zero."""
    if eps <= 0:
        raise SpecError(f"norm.eps={eps}: must be positive")


@dataclass(frozen=True)
class NormSpec(PartSpec):
    """A norm's settings. `width` is `embed_dim` for a block's norms and `head_dim` for the qk-norm."""

    family: ClassVar[str] = "vitlab.nn.norm"

    def build(self, width: int) -> nn.Module:
        """The norm over the last axis, of size `width`."""
        raise NotImplementedError
