"""What the two Inception crops share: a box of random size and shape, resized (arXiv 1409.4842, section 6)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.augment import resample
from vitlab.augment.ops._base import PixelOp, between
from vitlab.rng import uniform

ATTEMPTS = 10  # torchvision's; a box that does not fit is drawn again at most this often, then it is the central one


@dataclass(frozen=True)
class InceptionCrop(PixelOp):
    """The settings of both, see `resized_crop`."""

    size: tuple[int, int] | None = None
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    interpolation: resample.Interpolation = "bilinear"

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_size("size")
        self.need(0 < self.scale[0] <= self.scale[1] <= 1, "scale", "a range within 0 to 1")
        self.need(0 < self.ratio[0] <= self.ratio[1], "ratio", "a range of positive numbers")

    def out_size(self, rows: int, columns: int) -> tuple[int, int]:
        """The size that boxes are resized to."""
        return self.size or (rows, columns)

    def draws(self, keys: Tensor) -> Tensor:
        """[...] -> [..., n]: all that is random about each image's box, whatever the image's size.

        Where it lies, from 0 to 1, down and across; then its share of the area and its ratio, at every attempt.
        """
        places, shares, ratios = uniform(keys, "augment.resized_crop", 2 + 2 * ATTEMPTS).split(
            (2, ATTEMPTS, ATTEMPTS), -1
        )
        low, high = map(math.log, self.ratio)
        return torch.cat([places, between(*self.scale, shares), between(low, high, ratios).exp()], dim=-1)

    def boxes(self, draws: Tensor, rows: int, columns: int) -> Tensor:
        """[B, n] -> [B, 4]: top, left, height and width of each image's box, int64."""
        area, ratio = rows * columns * draws[:, 2 : 2 + ATTEMPTS], draws[:, 2 + ATTEMPTS :]
        heights, widths = (area / ratio).sqrt().round(), (area * ratio).sqrt().round()  # [B, attempts]
        fits = (heights >= 1) & (heights <= rows) & (widths >= 1) & (widths <= columns)
        first = fits.int().argmax(1, keepdim=True)
        height, width = (sides.gather(1, first)[:, 0] for sides in (heights, widths))
        top, left = draws[:, 0] * (rows - height + 1), draws[:, 1] * (columns - width + 1)
        drawn, central = (top, left, height, width), self.central(rows, columns)
        fitting = fits.any(1)
        return torch.stack([torch.where(fitting, a, b) for a, b in zip(drawn, central, strict=True)], dim=1).long()

    def central(self, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of the largest box in the middle whose shape is within `ratio`."""
        low, high = self.ratio
        height = min(rows, round(columns / low))
        width = min(columns, round(rows * high))
        return (rows - height) // 2, (columns - width) // 2, height, width

    def resized(self, images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """[B, C, H, W] uint8, [B, 4] -> [B, C, *size] uint8"""
        return resample.resize_boxes(images, boxes, size, self.interpolation)

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        return self.cropped(images, self.draws(keys))

    def cropped(self, images: Tensor, draws: Tensor) -> Tensor:
        """[B, C, H, W] uint8, [B, n] -> [B, C, *out_size(H, W)] uint8: a box of each, resized."""
        rows, columns = images.shape[-2:]
        return self.resized(images, self.boxes(draws, rows, columns), self.out_size(rows, columns))
