"""Pad an image on every side and cut a window of its old size at a random place (arXiv 1512.03385, section 4.2)."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from vitlab.augment.ops._base import PixelOp
from vitlab.rng import uniform


def reflected(size: int, padding: int, device: torch.device) -> Tensor:
    """[size + 2 padding]: which row each row of the padded image mirrors; the border itself is not repeated."""
    places = torch.arange(-padding, size + padding, device=device).abs()
    return size - 1 - (size - 1 - places).abs()


@dataclass(frozen=True)
class Spec(PixelOp):
    """`padding`: pixels added on each side. `fill`: what they are, black or a reflection of the image."""

    padding: int = 4
    fill: Literal["zero", "reflect"] = "zero"

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need(self.padding >= 0, "padding", "at least 0")

    def corners(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """[B] -> top and left [B]: where each window begins in the padded image."""
        top, left = (uniform(keys, "augment.crop", 2) * (2 * self.padding + 1)).long().unbind(-1)
        return top, left

    def padded(self, images: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H + 2 padding, W + 2 padding]"""
        if self.fill == "zero":
            return pad(images, (self.padding,) * 4)
        rows, columns = images.shape[-2:]
        self.need(self.padding < min(rows, columns), "padding", f"less than the image's side {min(rows, columns)}")
        y, x = (reflected(size, self.padding, images.device) for size in (rows, columns))
        return images.index_select(2, y).index_select(3, x)

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        rows, columns = images.shape[-2:]
        windows = self.padded(images).unfold(2, rows, 1).unfold(3, columns, 1)  # a view: [B, C, top, left, H, W]
        top, left = self.corners(keys)
        return windows[torch.arange(len(images), device=images.device), :, top, left]
