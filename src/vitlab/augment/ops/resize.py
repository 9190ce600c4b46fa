"""Resizing, antialiased."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.augment import resample
from vitlab.augment.ops._base import PixelOp


@dataclass(frozen=True)
class Spec(PixelOp):
    """`size`: the new rows and columns, whatever the image's shape.

    `interpolation`: `bilinear` and `bicubic` antialias.
    """

    random: ClassVar[bool] = False
    size: tuple[int, int]
    interpolation: resample.Interpolation = "bilinear"

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_size("size")

    def out_size(self, rows: int, columns: int) -> tuple[int, int]:
        """The new size, whatever the old one."""
        return self.size

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        return resample.resize(images, self.size, self.interpolation)
