"""Reconstruction of the image, which some auxiliary parts share: a decoder, its error, the patch sizes it can reach."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.nn.auxiliary._base import AuxiliarySpec
from vitlab.nn.dims import BlockDims


def halvings(dims: BlockDims) -> int:
    """How many convolutions of stride 2 lead from the image to the grid of patches."""
    return dims.patch_size[0].bit_length() - 1


def upwards(widths: list[int]) -> nn.Sequential:
    """(transposed 4×4 convolution of stride 2, padding 1; SELU) from each width to the next; each doubles the sides."""
    layers = nn.Sequential()
    for before, after in pairwise(widths):
        layers.append(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1))
        layers.append(nn.SELU())
    return layers


def squared_error(images: Tensor, drawn: Tensor) -> Tensor:
    """[B, C, height, width] twice -> [B], the mean over channels and pixels, in single precision at least"""
    error = (drawn - images).to(torch.promote_types(images.dtype, torch.float32))
    return error.square().flatten(1).mean(1)


@dataclass(frozen=True)
class ReconstructionSpec(AuxiliarySpec):
    """`weight`: what the mean squared error of the reconstruction counts beside the task's loss."""

    needs_patches: ClassVar[bool] = True
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise SpecError(f"auxiliary.weight={self.weight}: must not be negative")

    def conflict(self, dims: BlockDims) -> str | None:
        height, width = dims.patch_size
        if height != width or height < 2 or height & (height - 1):
            return (
                f"auxiliary={self.name} halves the image down to the grid of patches, which it cannot with "
                f"patch_size={dims.patch_size}; legal: squares of 2, 4, 8, 16, … pixels"
            )
        return None
