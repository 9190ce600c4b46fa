"""CIFAR-100: 50,000 training and 10,000 test images of 100 classes, 32 × 32, in colour (Krizhevsky, 2009)."""

from dataclasses import dataclass
from typing import ClassVar

from vitlab.data.images import Splits
from vitlab.data.parquet import Layout, read
from vitlab.data.sets._base import DataSpec

LAYOUT = Layout("cifar100", hub="uoft-cs/cifar100", image="img", label="fine_label", shape=(3, 32, 32))


@dataclass(frozen=True)
class Spec(DataSpec):
    """The normalisation is that of the training images."""

    img_size: ClassVar[tuple[int, int]] = (32, 32)
    in_chans: ClassVar[int] = 3
    num_classes: ClassVar[int] = 100
    num_train: ClassVar[int] = 50_000

    mean: tuple[float, ...] = (0.507, 0.4865, 0.4409)
    std: tuple[float, ...] = (0.2673, 0.2564, 0.2762)

    def read(self) -> Splits:
        return read(LAYOUT)
