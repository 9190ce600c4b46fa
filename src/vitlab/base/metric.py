"""`Metric`: a number that is measured of images, and how people read it. Records carry these beside the numbers."""

from dataclasses import dataclass
from typing import Literal

from vitlab.base.spec import Spec

Better = Literal["higher", "lower"]
Over = Literal["images", "classes"]


@dataclass(frozen=True)
class Metric(Spec):
    """What is measured of a split: records call it by the split and its `name`, `val_loss` or `test_top1`.

    `unit` is what its values are in: of a "fraction" of images people read percent, and points of a difference; "" is
    a number without a unit. `brief`: whether it is shown where there is room for a few, on a line of progress, say.
    `counts_right`: whether it is the share of images whose likeliest class is theirs, as predictions tell one by one.
    `over`: what a fraction is a mean over, images or classes, each of which counts alike.
    """

    name: str
    title: str
    unit: str
    better: Better
    brief: bool = True
    counts_right: bool = False
    over: Over = "images"

    def written(self, value: float) -> str:
        """A value as it is said by the way: 0.9583 as 95.83 %, a loss with four digits."""
        return f"{100 * value:.2f} %" if self.is_fraction else f"{value:.4f}"

    @property
    def is_fraction(self) -> bool:
        """Whether people read it in percent."""
        return self.unit == "fraction"
