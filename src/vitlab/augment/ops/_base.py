"""The contract of an operation of augmentation.

Every operation belongs to one of four stages, which follow each other; its base class says which, and what it gets:

    StoredOp        a picture as it is stored, of any size, while it is decoded: one crop of it
    PixelOp         uint8 pixels, one sample at a time: what a camera could have done
    NormalisedOp    normalised images, one sample at a time
    BatchOp         each sample of a global batch with another one of it, and their targets

Whatever is random is drawn from the samples' keys (see `vitlab.rng`), in one vectorised call without a look at the
values on the host. So a sample's crop is the same in any micro-batch, in any process and on any device.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Self

from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component, with_settings

Stage = Literal["stored", "pixels", "normalised", "batch"]


class Pair(NamedTuple):
    """Something of each sample, and the same of its partner."""

    own: Tensor
    partner: Tensor


def between(low: float, high: float, u: Tensor) -> Tensor:
    """u in [0, 1) -> low to high"""
    return low + (high - low) * u


@dataclass(frozen=True)
class OpSpec(Component):
    """An operation's settings, and the operation itself: it has no state."""

    family: ClassVar[str] = "vitlab.augment.ops"
    kind: ClassVar[str] = "operation of augmentation"
    stage: ClassVar[Stage]

    @property
    def idle(self) -> bool:
        """Whether it leaves every picture as it is, the way it is set."""
        return False

    @property
    def unused(self) -> tuple[str, ...]:
        """The settings that change nothing beside the others, as they are set."""
        return ()

    def scaled(self, rows: float, columns: float) -> Self:
        """The same for pictures of so many times the size: of an operation that has one, `size` scaled."""
        size: tuple[int, int] | None = getattr(self, "size", None)
        if size is None:
            return self
        larger: Self = with_settings(self, {"size": [round(size[0] * rows), round(size[1] * columns)]})
        return larger

    def need(self, legal: bool, field: str, allowed: str) -> None:
        """Refuse the value of `field` unless it is legal."""
        if not legal:
            raise SpecError(f"{self.name}.{field}={getattr(self, field)}: must be {allowed}")

    def check_channels(self, channels: int) -> None:
        """Refuse images of so many channels; one and three can always be, most operations take any number."""

    def need_size(self, field: str) -> None:
        """Refuse the value of `field` unless it is None or a size of at least one pixel each way."""
        size = getattr(self, field)
        self.need(size is None or min(size) >= 1, field, "at least 1 each way")

    def need_level(self, field: str) -> None:
        """Refuse the value of `field` unless it is a grey level."""
        self.need(0 <= getattr(self, field) <= 255, field, "a grey level between 0 and 255")

    def need_probability(self, field: str) -> None:
        """Refuse the value of `field` unless it is a probability."""
        self.need(0 <= getattr(self, field) <= 1, field, "between 0 and 1")


@dataclass(frozen=True)
class PixelOp(OpSpec):
    """An operation on pixels, before normalisation. The only kind that may change an image's size."""

    stage: ClassVar[Stage] = "pixels"
    random: ClassVar[bool] = True  # whether it draws anything; what does not may stand in an evaluation too

    def out_size(self, rows: int, columns: int) -> tuple[int, int]:
        """The size that images of a size come out with; a SpecError if they are too small for the operation."""
        return rows, columns

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        """[B, C, H, W] uint8, [B] -> [B, C, *out_size(H, W)] uint8"""
        raise NotImplementedError


@dataclass(frozen=True)
class StoredOp(PixelOp):
    """A crop of a picture as it is stored: its chances are drawn first, its box follows once the picture is opened."""

    stage: ClassVar[Stage] = "stored"

    def draws(self, keys: Tensor) -> Tensor:
        """[...] -> [..., n]: all that is random about each picture's box, whatever the picture's size."""
        raise NotImplementedError

    def boxes(self, draws: Tensor, rows: int, columns: int) -> Tensor:
        """[B, n] -> [B, 4]: top, left, height and width of a box in each picture of that size, int64."""
        raise NotImplementedError

    def cropped(self, images: Tensor, draws: Tensor) -> Tensor:
        """[B, C, H, W] uint8, [B, n] -> [B, C, *out_size(H, W)] uint8: a box of each, resized."""
        raise NotImplementedError

    def resized(self, images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """[B, C, H, W] uint8, [B, 4] -> [B, C, *size] uint8: the boxes alone."""
        raise NotImplementedError


@dataclass(frozen=True)
class NormalisedOp(OpSpec):
    """An operation on normalised images; `mean` and `std` [C] are those that normalised them."""

    stage: ClassVar[Stage] = "normalised"

    def apply(self, images: Tensor, keys: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """[B, C, H, W], [B], [C], [C] -> [B, C, H, W]"""
        raise NotImplementedError


@dataclass(frozen=True)
class BatchOp(OpSpec):
    """An operation between each sample of a global batch and a partner of it, in each of R runs."""

    stage: ClassVar[Stage] = "batch"

    def partners(self, keys: Tensor) -> Tensor:
        """The keys of a global batch [R, B] -> [R, B]: which sample of the batch is each one's partner."""
        raise NotImplementedError

    def apply(self, images: Pair, targets: Pair, keys: Tensor, batch_keys: Tensor) -> tuple[Tensor, Tensor]:
        """Samples and partners: images of [R, b, C, H, W], targets of [R, b, Y] -> images and targets.

        `keys` [R, b] are the samples' own, `batch_keys` [R, 1] those that the whole global batch shares.
        """
        raise NotImplementedError
