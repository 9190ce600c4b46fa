"""Trained tensors for another grid of patches, or another size of patch: what a part needs to begin at another size.

A table of one value for every patch is an image of as many channels, and is resized like one. A kernel that is applied
to patches is resized so that a resized patch says what the patch said: FlexiViT's pseudo-inverse (arXiv 2212.08013,
equation 3). Interpolation is PyTorch's, with pixels as areas (`align_corners=False`), as in timm; Google's code of the
ViT paper interpolates linearly between the outermost patches' middles instead.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

Size = tuple[int, int]  # rows, columns


@dataclass(frozen=True)
class Resizing:
    """How values on a grid are interpolated; `antialias` averages where a grid becomes coarser."""

    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    antialias: bool = True

    def grid(self, values: Tensor, before: Size, after: Size) -> Tensor:
        """[..., rows · columns, D] -> [..., rows' · columns', D], row by row"""
        if before == after:
            return values
        several = values.reshape(-1, *values.shape[-2:])
        images = several.unflatten(1, before).permute(0, 3, 1, 2)  # [n, D, rows, columns]
        resized = self._image(images, after).permute(0, 2, 3, 1).flatten(1, 2)
        return resized.reshape(*values.shape[:-2], *resized.shape[1:])

    def kernel(self, weight: Tensor, after: Size) -> Tensor:
        """[D, C, P, Q] -> [D, C, P', Q']: what it says of a patch, it says of the resized patch. (Where patches become
        smaller, as nearly as can be.)
        """
        before = (weight.shape[-2], weight.shape[-1])
        if before == after:
            return weight
        back = torch.linalg.pinv(_matrix(self, before, after).T)  # [P'·Q', P·Q]
        return (weight.double().flatten(-2) @ back.T).unflatten(-1, after).to(weight.dtype)

    def _image(self, images: Tensor, after: Size) -> Tensor:
        """[n, D, rows, columns] -> [n, D, rows', columns']"""
        return interpolate(images, after, mode=self.interpolation, antialias=self.antialias, align_corners=False)


@lru_cache(maxsize=8)
def _matrix(resizing: Resizing, before: Size, after: Size) -> Tensor:
    """[P'·Q', P·Q]: the resizing of a patch as the linear map that it is"""
    pixels = torch.eye(before[0] * before[1], dtype=torch.float64).unflatten(-1, before)
    return resizing._image(pixels[:, None], after).flatten(1).T
