"""The contract of a patch embedding: image [B, C, height, width] -> patch tokens [B, L, D], row by row."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec


class PatchEmbed(nn.Module):
    """Base class of the patch embeddings."""

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]; L is rows times columns of the grid, in that order."""
        raise NotImplementedError


@dataclass(frozen=True)
class PatchEmbedSpec(PartSpec):
    """A patch embedding's settings."""

    family: ClassVar[str] = "vitlab.nn.patch_embed"
    cuts_patches: ClassVar[bool] = True  # False: every pixel becomes a token, and `patch_size` has no say
    mixes_patches: ClassVar[bool] = False  # whether a token sees pixels beyond its own patch

    def build(self, dims: BlockDims) -> PatchEmbed:
        """The embedding for images of `dims.img_size`."""
        raise NotImplementedError


def cut(images: Tensor, grid: tuple[int, int], patch_size: tuple[int, int]) -> Tensor:
    """[B, C, height, width] -> [B, L, C·P·P]: non-overlapping patches, each in the order (channel, row, column)."""
    (rows, columns), (height, width) = grid, patch_size
    patches = images.unflatten(3, (columns, width)).unflatten(2, (rows, height))  # [B, C, rows, P, columns, P]
    return patches.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def as_tokens(features: Tensor) -> Tensor:
    """[B, D, rows, columns] -> [B, L, D], row by row"""
    return features.flatten(2).transpose(1, 2)
