"""Random crop: a window at a random place of an image that is padded on every side (arXiv 1512.03385, section 4.2)."""

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
    """`padding`: pixels added on each side. `fill`: what they are, black or a reflection of the image.

    `size`: the window's rows and columns; None for those of the image before it was padded.
    """

    padding: int = 4
    fill: Literal["zero", "reflect"] = "zero"
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need(self.padding >= 0, "padding", "at least 0")
        self.need_size("size")

    @property
    def idle(self) -> bool:
        """The window is the image."""
        return self.padding == 0 and self.size is None

    @property
    def unused(self) -> tuple[str, ...]:
        """Nothing is added, so it has no colour."""
        return ("fill",) if self.padding == 0 else ()

    def out_size(self, rows: int, columns: int) -> tuple[int, int]:
        """The window's size."""
        self.need(self.padding < min(rows, columns), "padding", f"less than the image's side {min(rows, columns)}")
        if self.size is None:
            return rows, columns
        padded = rows + 2 * self.padding, columns + 2 * self.padding
        fits = self.size[0] <= padded[0] and self.size[1] <= padded[1]
        self.need(fits, "size", f"within the padded image's {padded}")
        return self.size

    def corners(self, keys: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        """[B] -> top and left [B]: where each window begins in the padded image."""
        height, width = self.out_size(rows, columns)
        top, left = uniform(keys, "augment.crop", 2).unbind(-1)
        top, left = top * (rows + 2 * self.padding - height + 1), left * (columns + 2 * self.padding - width + 1)
        return top.long(), left.long()

    def padded(self, images: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H + 2 padding, W + 2 padding]"""
        if self.fill == "zero":
            return pad(images, (self.padding,) * 4)
        y, x = (reflected(size, self.padding, images.device) for size in images.shape[-2:])
        return images.index_select(2, y).index_select(3, x)

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        rows, columns = images.shape[-2:]
        height, width = self.out_size(rows, columns)
        windows = self.padded(images).unfold(2, height, 1).unfold(3, width, 1)  # a view: [B, C, top, left, H, W]
        top, left = self.corners(keys, rows, columns)
        return windows[torch.arange(len(images), device=images.device), :, top, left]
