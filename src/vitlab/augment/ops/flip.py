"""Horizontal flip: an image, mirrored left to right."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.augment.ops._base import PixelOp
from vitlab.rng import uniform


@dataclass(frozen=True)
class Spec(PixelOp):
    """`p`: the probability for each image."""

    p: float = 0.5

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_probability("p")

    @property
    def idle(self) -> bool:
        """No image is chosen."""
        return self.p == 0

    def chosen(self, keys: Tensor) -> Tensor:
        """[B] -> [B] bool: which images are mirrored."""
        return uniform(keys, "augment.flip", 1)[:, 0] < self.p

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        return torch.where(self.chosen(keys)[:, None, None, None], images.flip(-1), images)
