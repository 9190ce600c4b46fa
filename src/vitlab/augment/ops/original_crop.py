"""The Inception crop of the picture as it is stored, taken while it is decoded (arXiv 1409.4842, section 6).

So the borders of a wide photograph are seen, and small boxes are as sharp as the file has them. A JPEG is decoded at
the scale of 1/2, 1/4 or 1/8 at which the box still has twice the rows and columns that it is resized to. Pictures of
one size that lie decoded in memory, CIFAR's, are cropped there: for these it is `resized_crop`, bit for bit.
"""

from dataclasses import dataclass

from vitlab.augment.ops._base import StoredOp
from vitlab.augment.ops._inception import InceptionCrop


@dataclass(frozen=True)
class Spec(InceptionCrop, StoredOp):
    """`size`: the rows and columns that a box is resized to; None for the data set's `img_size`.

    `scale`: the range of the box's share of the image's area. `ratio`: the range of its width / height, log-uniform.
    `interpolation`: `bilinear` and `bicubic` antialias.
    """
