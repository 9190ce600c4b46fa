"""AutoAugment: one of 25 learned sub-policies of two operations, drawn for each image (arXiv 1805.09501)."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from torch import Tensor

from vitlab.augment import geometry, policy, spaces
from vitlab.augment.ops._base import PixelOp
from vitlab.rng import subkeys

Policy = Literal["cifar10", "imagenet"]
Operation = tuple[str, float, int]  # name, probability, strength from 0 to 9; 0 where an operation has none

# As in the appendix of the paper.
POLICIES: dict[Policy, tuple[tuple[Operation, Operation], ...]] = {
    "cifar10": (
        (("Invert", 0.1, 0), ("Contrast", 0.2, 6)),
        (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
        (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
        (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
        (("AutoContrast", 0.5, 0), ("Equalize", 0.9, 0)),
        (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
        (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
        (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
        (("Equalize", 0.6, 0), ("Equalize", 0.5, 0)),
        (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
        (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
        (("Equalize", 0.3, 0), ("AutoContrast", 0.4, 0)),
        (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
        (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
        (("Solarize", 0.5, 2), ("Invert", 0.0, 0)),
        (("Equalize", 0.2, 0), ("AutoContrast", 0.6, 0)),
        (("Equalize", 0.2, 0), ("Equalize", 0.6, 0)),
        (("Color", 0.9, 9), ("Equalize", 0.6, 0)),
        (("AutoContrast", 0.8, 0), ("Solarize", 0.2, 8)),
        (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
        (("Solarize", 0.4, 5), ("AutoContrast", 0.9, 0)),
        (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
        (("AutoContrast", 0.9, 0), ("Solarize", 0.8, 3)),
        (("Equalize", 0.8, 0), ("Invert", 0.1, 0)),
        (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, 0)),
    ),
    "imagenet": (
        (("Posterize", 0.4, 8), ("Rotate", 0.6, 9)),
        (("Solarize", 0.6, 5), ("AutoContrast", 0.6, 0)),
        (("Equalize", 0.8, 0), ("Equalize", 0.6, 0)),
        (("Posterize", 0.6, 7), ("Posterize", 0.6, 6)),
        (("Equalize", 0.4, 0), ("Solarize", 0.2, 4)),
        (("Equalize", 0.4, 0), ("Rotate", 0.8, 8)),
        (("Solarize", 0.6, 3), ("Equalize", 0.6, 0)),
        (("Posterize", 0.8, 5), ("Equalize", 1.0, 0)),
        (("Rotate", 0.2, 3), ("Solarize", 0.6, 8)),
        (("Equalize", 0.6, 0), ("Posterize", 0.4, 6)),
        (("Rotate", 0.8, 8), ("Color", 0.4, 0)),
        (("Rotate", 0.4, 9), ("Equalize", 0.6, 0)),
        (("Equalize", 0.0, 0), ("Equalize", 0.8, 0)),
        (("Invert", 0.6, 0), ("Equalize", 1.0, 0)),
        (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
        (("Rotate", 0.8, 8), ("Color", 1.0, 2)),
        (("Color", 0.8, 8), ("Solarize", 0.8, 7)),
        (("Sharpness", 0.4, 7), ("Invert", 0.6, 0)),
        (("ShearX", 0.6, 5), ("Equalize", 1.0, 0)),
        (("Color", 0.4, 0), ("Equalize", 0.6, 0)),
        (("Equalize", 0.4, 0), ("Solarize", 0.2, 4)),
        (("Solarize", 0.6, 5), ("AutoContrast", 0.6, 0)),
        (("Invert", 0.6, 0), ("Equalize", 1.0, 0)),
        (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
        (("Equalize", 0.8, 0), ("Equalize", 0.6, 0)),
    ),
}


@cache
def steps(name: Policy, rotate_sign: bool, rows: int, columns: int) -> tuple[tuple[policy.Step, ...], ...]:
    """The first steps of a policy's sub-policies, and the second ones, for images of a size."""
    limits = spaces.usual_limits(rows, columns)

    def step(operation: str, probability: float, strength: int) -> policy.Step:
        made = spaces.torchvision_step(operation, strength / 9, limits, probability=probability)
        return made if rotate_sign or operation != "Rotate" else made._replace(signed=False)

    return tuple(tuple(step(*operation) for operation in place) for place in zip(*POLICIES[name], strict=True))


@dataclass(frozen=True)
class Spec(PixelOp):
    """`policy`: the data that it was learned on. Magnitudes are torchvision's (`vitlab.augment.spaces`).

    `interpolation`: how geometric operations read the image. `fill`: the grey level of what was beyond its edges, 0 to
    255; much published code has 128. `rotate_sign`: rotate to either side, else anticlockwise only, a slip of the same
    code.
    """

    policy: Policy = "cifar10"
    interpolation: geometry.Reading = "nearest"
    fill: int = 0
    rotate_sign: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_level("fill")

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        places = steps(self.policy, self.rotate_sign, *images.shape[-2:])
        choice = policy.choose(places[0], keys)  # one sub-policy, for both places
        for place, offered in enumerate(places):
            own = subkeys(keys, f"augment.auto_augment.{place}")
            images = policy.take(offered, choice, images, own, self.interpolation, self.fill)
        return images
