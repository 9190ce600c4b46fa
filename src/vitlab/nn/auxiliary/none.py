"""No auxiliary part: the patch tokens go on as they are, and the task's loss is the only one."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.nn.auxiliary._base import Auxiliary, AuxiliarySpec, Branched
from vitlab.nn.dims import BlockDims


class Nothing(Auxiliary):
    """The identity."""

    def forward(self, images: Tensor, patches: Tensor) -> Branched:
        """[B, C, height, width], [B, L, D] -> [B, L, D], None"""
        return Branched(patches, None)


@dataclass(frozen=True)
class Spec(AuxiliarySpec):
    """No settings."""

    adds_loss: ClassVar[bool] = False

    def build(self, dims: BlockDims) -> Auxiliary:
        return Nothing()
