"""`Preprocessing`: what a picture goes through before the model, and what the model's answers are called.

One class that is written into a run and its checkpoints, read back, and makes the pipelines of training, evaluation and
prediction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import torch

from vitlab.augment.ops._base import OpSpec
from vitlab.augment.pipeline import Pipeline
from vitlab.base.errors import DataError, SpecError
from vitlab.data.decode import MAX_PIXELS, Fit, Frame, Interpolation, decode
from vitlab.data.images import ImageSet
from vitlab.data.in_hand import Picture, source_of
from vitlab.records._base import Record, check_least

_FITS: dict[Fit, str] = {
    "crop": "the shorter side resized, the middle kept",
    "squash": "both sides resized",
    "pad": "resized to fit inside, on grey",
}


@dataclass(frozen=True)
class Preprocessing(Record):
    """It is decoded to `img_size` (rows, columns), as `fit`, `interpolation`, `white` and `max_pixels` say
    (`vitlab.data.decode.Frame`); goes through `ops`; and is normalised with the mean and standard deviation of each
    channel, of values from 0 to 1.
    """

    file: ClassVar[str] = "preprocessing.json"

    img_size: tuple[int, int]
    fit: Fit
    ops: tuple[OpSpec, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]
    white: float | None = None
    max_pixels: int = MAX_PIXELS
    interpolation: Interpolation = "bicubic"

    def __post_init__(self) -> None:
        if not self.mean or len(self.mean) != len(self.std):
            raise SpecError(f"mean has {len(self.mean)} channels, and std {len(self.std)}")
        if min(self.std) <= 0:
            raise SpecError(f"std={list(self.std)}: must be positive")
        if min(self.img_size) < 1:
            raise SpecError(f"img_size={list(self.img_size)}: must be positive")
        check_least(self, 1, "max_pixels")

    @classmethod
    def of(cls, images: ImageSet, img_size: tuple[int, int], ops: Sequence[OpSpec]) -> Self:
        """That of a data set, decoded to a size, and of what its pictures go through in an evaluation."""
        frame = images.frame
        assert frame.fit != "exact"  # which no set of pictures for people has
        return cls(
            *(img_size, frame.fit, tuple(ops), images.mean, images.std, images.class_names),
            *(frame.white, frame.max_pixels, frame.interpolation),
        )

    @property
    def frame(self) -> Frame:
        """How a picture is decoded."""
        return Frame(self.img_size, len(self.mean), self.fit, self.white, self.max_pixels, self.interpolation)

    def at_size(self, before: tuple[int, int], after: tuple[int, int]) -> Self:
        """That of a model of another size: decoded, resized and cropped to as much more, or less."""
        rows, columns = after[0] / before[0], after[1] / before[1]
        decoded = round(self.img_size[0] * rows), round(self.img_size[1] * columns)
        return replace(self, img_size=decoded, ops=tuple(op.scaled(rows, columns) for op in self.ops))

    def told(self, img_size: tuple[int, int]) -> str:
        """What it does before a model of that size, in words."""
        cut = ", ".join(op.name.replace("_", " ") for op in self.ops)
        through = f"put through {cut} to {_size(img_size)} pixels, " if cut else ""
        return (
            f"brought to {_size(self.img_size)} pixels ({_FITS[self.fit]}; {self.interpolation}), {through}"
            f"scaled to values from 0 to 1, and normalised with a mean of {_numbers(self.mean)} "
            f"and a standard deviation of {_numbers(self.std)}"
        )

    @property
    def largest_value(self) -> float:
        """No value of a normalised image is further from zero."""
        return max(max(mean, 1 - mean) / std for mean, std in zip(self.mean, self.std, strict=True))

    def prepare(self, pictures: Sequence[Picture]) -> torch.Tensor:
        """Paths, Pillow's pictures or 8-bit arrays [H, W, C] -> images [n, C, height, width], as in an evaluation.

        Raises DataError for what is no picture, Unreadable for what cannot be decoded.
        """
        if isinstance(pictures, str | Path) or not isinstance(pictures, Sequence):
            raise DataError("expected several pictures: [picture] is a list of one")
        if not pictures:
            raise DataError("no pictures were given")
        pixels = torch.stack([decode(source_of(picture), self.frame) for picture in pictures])
        return self.pipeline(len(self.class_names)).prepared(pixels)

    def pipeline(self, num_classes: int, dtype: torch.dtype = torch.float32) -> Pipeline:
        """From decoded pixels to a model of so many classes: nothing in it is random."""
        return Pipeline(self.ops, self.mean, self.std, num_classes, dtype)

    def training_pipeline(self, augment: Sequence[OpSpec], num_classes: int, dtype: torch.dtype) -> Pipeline:
        """The same for training, which has an augmentation in place of `ops`."""
        return Pipeline(tuple(augment), self.mean, self.std, num_classes, dtype)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
