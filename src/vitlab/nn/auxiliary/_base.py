"""The contract of an auxiliary part: it sees the images and the patch tokens, may change these, and adds a loss.

    forward(images [B, C, height, width], patches [B, L, D]) -> Branched(patches [B, L, D], loss [B])

The tokens have no positions yet. The loss is one number a sample, already weighted; training descends its sum with the
task's loss, and records show the two apart. Any model can take such a part: `--set model.auxiliary=auto_encoder`.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec


class Branched(NamedTuple):
    """What an auxiliary part gives: patch tokens [B, L, D], and its loss [B], None if it has none."""

    patches: Tensor
    loss: Tensor | None


class Auxiliary(nn.Module):
    """Base class of the auxiliary parts."""

    def forward(self, images: Tensor, patches: Tensor) -> Branched:
        """[B, C, height, width], [B, L, D] -> [B, L, D], [B]"""
        raise NotImplementedError


@dataclass(frozen=True)
class AuxiliarySpec(PartSpec):
    """An auxiliary part's settings."""

    family: ClassVar[str] = "vitlab.nn.auxiliary"
    adds_loss: ClassVar[bool] = True  # whether it has a loss of its own
    needs_patches: ClassVar[bool] = False  # whether it reaches the tokens by way of `patch_size`
    mixes_patches: ClassVar[bool] = False  # whether it lets a patch's token see other patches

    def build(self, dims: BlockDims) -> Auxiliary:
        """The part for images of `dims.img_size`."""
        raise NotImplementedError
