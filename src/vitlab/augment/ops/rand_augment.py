"""RandAugment: a few operations, drawn for each image, all of one strength (arXiv 1909.13719)."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from torch import Tensor

from vitlab.augment import geometry, policy, spaces
from vitlab.augment.ops._base import PixelOp
from vitlab.rng import subkeys

Space = Literal["torchvision", "google"]


@cache
def steps(space: Space, level: float, rows: int, columns: int) -> tuple[policy.Step, ...]:
    """What a space offers at a level for images of a size."""
    if space == "google":
        return spaces.google_steps(level, rows, columns)
    limits = spaces.usual_limits(rows, columns)
    return tuple(spaces.torchvision_step(name, level, limits) for name in spaces.TORCHVISION)


@dataclass(frozen=True)
class Spec(PixelOp):
    """`num_ops`: how many operations follow each other on an image, each drawn from all of them; the paper's N.

    `magnitude`: their strength, the paper's M, and `scale`: the magnitude at which an operation is at its limit. 30
    is torchvision's scale, 10 is Google's, on which AugReg (arXiv 2106.10270) writes 15 and 20.

    `space`: which operations there are, and what they do at a level, which is magnitude / scale. `torchvision` has 14
    of levels up to 1. `google` has 16 and no limit to the level; beyond their ranges Posterize and Solarize do nothing.
    It follows the formulas of Google's TensorFlow code (`vitlab.augment.spaces`), with `fill=128`, but for details of
    the pixels: AutoContrast, Color and Sharpness round as torchvision's do, and so differ by a grey level here and
    there; shears hold the image's edge, not the centre of its first pixel; Contrast turns on the image's mean grey,
    which that code by a slip has as H·W / 256, cut off at 255.

    `interpolation`: how geometric operations read the image. `fill`: the grey level of what was beyond its edges, and
    of Cutout's square, 0 to 255.
    """

    num_ops: int = 2
    magnitude: float = 9.0
    scale: float = 30.0
    space: Space = "torchvision"
    interpolation: geometry.Reading = "nearest"
    fill: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need(0 <= self.num_ops <= 100, "num_ops", "from 0 to 100")
        self.need(self.scale > 0, "scale", "positive")
        self.need(self.magnitude >= 0, "magnitude", "at least 0")
        if self.space == "torchvision":
            self.need(self.magnitude <= self.scale, "magnitude", f"at most scale={self.scale} in torchvision's space")
        self.need_level("fill")

    @property
    def idle(self) -> bool:
        """No operation is drawn."""
        return self.num_ops == 0

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        offered = steps(self.space, self.magnitude / self.scale, *images.shape[-2:])
        for place in range(self.num_ops):
            own = subkeys(keys, f"augment.rand_augment.{place}")
            images = policy.take(offered, policy.choose(offered, own), images, own, self.interpolation, self.fill)
        return images
