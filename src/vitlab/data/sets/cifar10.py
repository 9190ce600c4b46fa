"""CIFAR-10: 50,000 training and 10,000 test images of 10 classes, 32 × 32, in colour (Krizhevsky, 2009)."""

from dataclasses import dataclass
from typing import ClassVar

from vitlab.data.images import Splits
from vitlab.data.parquet import Layout, read
from vitlab.data.sets._base import DataSpec

LAYOUT = Layout("cifar10", hub="uoft-cs/cifar10", image="img", label="label", shape=(3, 32, 32))


@dataclass(frozen=True)
class Spec(DataSpec):
    """The normalisation is that of the training images."""

    img_size: ClassVar[tuple[int, int]] = (32, 32)
    in_chans: ClassVar[int] = 3
    num_classes: ClassVar[int] = 10
    num_train: ClassVar[int] = 50_000

    mean: tuple[float, ...] = (0.4914, 0.4822, 0.4465)
    std: tuple[float, ...] = (0.2470, 0.2435, 0.2616)

    def read(self) -> Splits:
        return read(LAYOUT)
