"""The Inception crop: a box of random size and shape, resized (arXiv 1409.4842, section 6).

The box is one of the pixels that a data set gives, which for pictures of any size are decoded and squared already.
`original_crop` takes it of the picture as it is stored.
"""

from dataclasses import dataclass

from vitlab.augment.ops._inception import InceptionCrop


@dataclass(frozen=True)
class Spec(InceptionCrop):
    """`size`: the rows and columns that a box is resized to; None for those of the image.

    `scale`: the range of the box's share of the image's area. `ratio`: the range of its width / height, log-uniform.
    `interpolation`: `bilinear` and `bicubic` antialias.
    """
