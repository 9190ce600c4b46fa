"""Random erasing: overwrite one rectangle of an image (arXiv 1708.04896)."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vitlab.augment.ops._base import NormalisedOp, between
from vitlab.rng import uniform

ATTEMPTS = 10  # torchvision's; a rectangle that sticks out is drawn again at most this often, then nothing is erased


def normal_noise(keys: Tensor, shape: torch.Size) -> Tensor:
    """keys [B] -> [B, *shape], standard normal, by Box and Muller's transform of two uniform numbers each."""
    radius, angle = uniform(keys, "augment.erase.noise", 2 * shape.numel()).chunk(2, dim=1)
    values = (-2 * torch.log1p(-radius)).sqrt() * torch.cos(2 * math.pi * angle)
    return values.unflatten(1, shape)


@dataclass(frozen=True)
class Spec(NormalisedOp):
    """`p`: the probability for each image. `area`: the range of the rectangle's share of the image.

    `aspect`: the range of its height / width, log-uniform. `value`: `zero` is the data's mean, since images are
    normalised here; `noise` is standard normal; `mean_raw` is the mean of the raw pixels, a slip of published code.
    """

    p: float = 0.25
    area: tuple[float, float] = (0.02, 0.4)
    aspect: tuple[float, float] = (0.3, 3.3)
    value: Literal["mean_raw", "zero", "noise"] = "zero"

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_probability("p")
        self.need(0 < self.area[0] <= self.area[1] <= 1, "area", "a range within 0 to 1")
        self.need(0 < self.aspect[0] <= self.aspect[1], "aspect", "a range of positive numbers")

    @property
    def idle(self) -> bool:
        """No image is chosen."""
        return self.p == 0

    def boxes(self, keys: Tensor, rows: int, columns: int) -> Tensor:
        """[B] -> [B, 4]: top, left, height, width of each image's rectangle; height and width 0 if it has none."""
        draws = uniform(keys, "augment.erase", 3 + 2 * ATTEMPTS)
        area = rows * columns * between(*self.area, draws[:, 3 : 3 + ATTEMPTS])
        aspect = between(math.log(self.aspect[0]), math.log(self.aspect[1]), draws[:, 3 + ATTEMPTS :]).exp()
        heights, widths = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()  # [B, attempts]
        fits = (heights < rows) & (widths < columns)
        erased = fits.any(1) & (draws[:, 0] < self.p)
        first = fits.int().argmax(1, keepdim=True)
        height, width = (sides.gather(1, first)[:, 0] * erased for sides in (heights, widths))
        top, left = draws[:, 1] * (rows - height + 1), draws[:, 2] * (columns - width + 1)
        return torch.stack([top, left, height, width], dim=1).long()

    def apply(self, images: Tensor, keys: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        rows, columns = images.shape[-2:]
        top, left, height, width = self.boxes(keys, rows, columns)[:, :, None].unbind(1)  # [B, 1] each
        y, x = torch.arange(rows, device=images.device), torch.arange(columns, device=images.device)
        inside_y, inside_x = (y >= top) & (y < top + height), (x >= left) & (x < left + width)
        inside = inside_y[:, None, :, None] & inside_x[:, None, None, :]  # [B, 1, H, W]
        return torch.where(inside, self.filling(images, keys, mean), images)

    def filling(self, images: Tensor, keys: Tensor, mean: Tensor) -> Tensor:
        """What is written, in a shape that broadcasts to [B, C, H, W]."""
        if self.value == "noise":
            return normal_noise(keys, images.shape[1:]).to(images.dtype)
        return (mean if self.value == "mean_raw" else torch.zeros_like(mean))[:, None, None]
