"""Shifted patch tokenisation: each patch sees the image and four diagonal shifts of it (arXiv 2112.13492, section 3.1).

    shifted = [image, four diagonal shifts of it by P//2 pixels, zeros where nothing was]    [B, 5C, height, width]
    tokens  = LayerNorm(patches of shifted) · proj                                           [B, L, 5C·P²] -> [B, L, D]

A patch so covers its neighbours up to their middles. The norm (eps 1e-5, PyTorch's) is part of the method and does not
follow the model's `norm`. The paper adds cls and positions after this, as here. Its order of the shifts, which only
permutes the columns of `proj`, is not fixed; here up-left, up-right, down-left, down-right, said of where the image
moves to. Cost: O(L) in tokens, five times `linear`.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vitlab.nn.dims import BlockDims
from vitlab.nn.patch_embed._base import PatchEmbed, PatchEmbedSpec, cut


class ShiftedPatches(PatchEmbed):
    """`norm` and `proj` on the patches of five images."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.grid, self.patch_size = dims.grid, dims.patch_size
        values = 5 * dims.in_chans * dims.patch_size[0] * dims.patch_size[1]
        self.norm = nn.LayerNorm(values)
        self.proj = nn.Linear(values, dims.embed_dim)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]"""
        return self.proj(self.norm(cut(self.shifted(images), self.grid, self.patch_size)))

    def shifted(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, 5C, height, width]"""
        height, width = images.shape[-2:]
        down, right = self.patch_size[0] // 2, self.patch_size[1] // 2
        wide = pad(images, (right, right, down, down))
        # a window that starts lower shows the image moved up
        corners = [(2 * down, 2 * right), (2 * down, 0), (0, 2 * right), (0, 0)]
        windows = [wide[..., top : top + height, left : left + width] for top, left in corners]
        return torch.cat([images, *windows], dim=-3)


@dataclass(frozen=True)
class Spec(PatchEmbedSpec):
    """No settings: `patch_size` is the model's, and the shift half of it."""

    mixes_patches: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> PatchEmbed:
        return ShiftedPatches(dims)

    def conflict(self, dims: BlockDims) -> str | None:
        if min(dims.patch_size) < 2:
            return f"patch_embed=spt shifts by half a patch, so patch_size={dims.patch_size} is too small: at least 2"
        return None
