"""Rotation of an image about its centre, by a random angle."""

from dataclasses import dataclass

from torch import Tensor

from vitlab.augment import geometry
from vitlab.augment.ops._base import PixelOp, between
from vitlab.rng import uniform


@dataclass(frozen=True)
class Spec(PixelOp):
    """`degrees`: the largest angle, to either side; all up to it are equally likely.

    `interpolation`: how the turned image is read. `fill`: the grey level of what was beyond its edges, 0 to 255.
    """

    degrees: float = 15.0
    interpolation: geometry.Reading = "nearest"
    fill: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need(self.degrees >= 0, "degrees", "at least 0")
        self.need_level("fill")

    @property
    def idle(self) -> bool:
        """The angle is always 0."""
        return self.degrees == 0

    def angles(self, keys: Tensor) -> Tensor:
        """[B] -> [B]: in degrees, anticlockwise."""
        return between(-self.degrees, self.degrees, uniform(keys, "augment.rotate", 1)[:, 0])

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        return geometry.warp(images, geometry.rotate(self.angles(keys)), self.interpolation, self.fill)
