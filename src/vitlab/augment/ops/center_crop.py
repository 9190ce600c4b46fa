"""Centre crop: the window in the middle of an image."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.augment.ops._base import PixelOp


@dataclass(frozen=True)
class Spec(PixelOp):
    """`size`: the window's rows and columns. An image that is smaller is refused, where torchvision pads it."""

    random: ClassVar[bool] = False
    size: tuple[int, int]

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_size("size")

    def out_size(self, rows: int, columns: int) -> tuple[int, int]:
        """The window's size."""
        self.need(self.size[0] <= rows and self.size[1] <= columns, "size", f"within the image's {(rows, columns)}")
        return self.size

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        height, width = self.out_size(*images.shape[-2:])
        top, left = round((images.shape[-2] - height) / 2), round((images.shape[-1] - width) / 2)
        return images[..., top : top + height, left : left + width]
