"""scikit-learn's digits: 1,797 handwritten digits, 8 × 8, grey. They come with the library, so nothing is downloaded.

They have no official split. Ours is fixed, whatever the seed of a run: 36 images of every digit are for the test.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from vitlab.data.images import Images, Splits
from vitlab.data.sets._base import DataSpec
from vitlab.data.splits import hold_out

TEST_IMAGES_PER_CLASS = 36


@dataclass(frozen=True)
class Spec(DataSpec):
    """The normalisation is that of the training images."""

    img_size: ClassVar[tuple[int, int]] = (8, 8)
    in_chans: ClassVar[int] = 1
    num_classes: ClassVar[int] = 10
    num_train: ClassVar[int] = 1437

    mean: tuple[float, ...] = (0.3062,)
    std: tuple[float, ...] = (0.3764,)

    def read(self) -> Splits:
        from sklearn.datasets import load_digits

        digits = load_digits()
        levels = torch.from_numpy(digits.images)[:, None]  # 0 to 16
        images = Images((levels * (255 / 16)).round().to(torch.uint8), torch.from_numpy(digits.target).long())
        train, test = (
            Images(images.pixels[kept], images.labels[kept])
            for kept in hold_out(images.labels, [TEST_IMAGES_PER_CLASS] * self.num_classes, seed=0)
        )
        return Splits(train, test, tuple(map(str, range(self.num_classes))))
