"""Decoded pictures in memory: a split, and a whole data set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.base.errors import DataError


@dataclass(frozen=True)
class Images:
    """One split: pixels [n, C, H, W] uint8 and labels [n] int64, on one device."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.labels)

    def to(self, device: torch.device | str) -> "Images":
        """The same pictures on `device`."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def subset(self, indices: Tensor) -> "Images":
        """The pictures at `indices` [m]."""
        indices = indices.to(self.labels.device)
        return Images(self.pixels[indices], self.labels[indices])

    def ask(self, indices: Tensor) -> Callable[[], Tensor]:
        """indices [...] -> a promise of the pixels [..., C, H, W]"""
        return lambda: self.pixels[indices]

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All in order, `size` at once: pixels [b, C, H, W], labels [b]."""
        for start in range(0, len(self), size):
            yield self.pixels[start : start + size], self.labels[start : start + size]


class Splits(NamedTuple):
    """What a source of pictures holds, before it is checked and given its normalisation."""

    train: Images
    test: Images
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class ImageSet:
    """A data set. `mean` and `std` of each channel are of pixel values between 0 and 1."""

    train: Images
    test: Images
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def check(splits: Splits) -> None:
    """Raise DataError for a label outside the classes, or a class without a training image."""
    num_classes = len(splits.class_names)
    for split, images in (("train", splits.train), ("test", splits.test)):
        bad = ((images.labels < 0) | (images.labels >= num_classes)).nonzero().flatten().tolist()
        if bad:
            value = int(images.labels[bad[0]])
            raise DataError(f"{split} image {bad[0]} has label {value}; legal: 0 to {num_classes - 1}")
    counts = torch.bincount(splits.train.labels, minlength=num_classes).tolist()
    empty = [name for name, count in zip(splits.class_names, counts, strict=True) if count == 0]
    if empty:
        raise DataError(f"no training image in class {', '.join(map(repr, empty))}")
