"""Colour jitter: brightness, contrast, saturation and hue of an image, changed at random."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from vitlab.augment import colour
from vitlab.augment.ops._base import PixelOp, between
from vitlab.rng import uniform


class Changes(NamedTuple):
    """What is done to each image, [B] each: changes of which 0 is none; of the hue, as a part of the circle."""

    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor


@dataclass(frozen=True)
class Spec(PixelOp):
    """`brightness`, `contrast`, `saturation`: changes are uniform from -strength, but at least -1, to strength.

    `hue`: the hue turns by up to this part of the circle, at most 0.5, to either side; images of 2 or of 4 and more
    channels have none. Strength 0 leaves one out. The four follow each other in this order, where torchvision's
    ColorJitter draws an order for each image.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        for field in ("brightness", "contrast", "saturation"):
            self.need(getattr(self, field) >= 0, field, "at least 0")
        self.need(0 <= self.hue <= 0.5, "hue", "between 0 and 0.5")

    @property
    def idle(self) -> bool:
        """All changes are left out."""
        return self.brightness == self.contrast == self.saturation == self.hue == 0

    def check_channels(self, channels: int) -> None:
        """Refuse to turn the hue of what has no colours."""
        fitting = self.hue == 0 or channels in (1, 3)
        self.need(fitting, "hue", f"0 for images of {channels} channels, which have no hue (data.in_chans)")

    def changes(self, keys: Tensor) -> Changes:
        """[B] -> what is drawn for each image."""
        strengths = (self.brightness, self.contrast, self.saturation, self.hue)
        draws = uniform(keys, "augment.color_jitter", 4).unbind(1)
        return Changes._make(between(-min(s, 1.0), s, u) for s, u in zip(strengths, draws, strict=True))

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        changes = self.changes(keys)
        if self.brightness:
            images = colour.look_up(images, colour.brightness(changes.brightness))
        if self.contrast:
            images = colour.look_up(images, colour.contrast(images, changes.contrast))
        if self.saturation:
            images = colour.saturation(images, changes.saturation)
        return colour.hue(images, changes.hue) if self.hue else images
