"""TrivialAugment: one operation of a random strength, drawn for each image (arXiv 2103.10158)."""

from dataclasses import dataclass
from functools import cache

from torch import Tensor

from vitlab.augment import geometry, policy, spaces
from vitlab.augment.ops._base import PixelOp

STRENGTHS = 31


@cache
def steps() -> tuple[policy.Step, ...]:
    """Every operation at every strength: all are equally likely."""
    limits = spaces.wide_limits()
    levels = [strength / (STRENGTHS - 1) for strength in range(STRENGTHS)]
    names = spaces.TORCHVISION
    return tuple(spaces.torchvision_step(name, level, limits, bits_lost=6) for name in names for level in levels)


@dataclass(frozen=True)
class Spec(PixelOp):
    """The paper's wide space; translations are by up to 32 pixels whatever the image's size.

    `interpolation`: how geometric operations read the image. `fill`: the grey level of what was beyond its edges, 0 to
    255.
    """

    interpolation: geometry.Reading = "nearest"
    fill: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_level("fill")

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        return policy.take(steps(), policy.choose(steps(), keys), images, keys, self.interpolation, self.fill)
