"""A convolutional stem: 3×3 convolutions of stride 2 down to the patch grid, then one projection (arXiv 2106.14881).

The patch size is split into factors of two, each a stride-2 convolution that doubles the channels up to D, and what
is left (1, 3, 7, …), the kernel and stride of the projection. Differs from the paper, which has batch norm after each
convolution: here group norm with one group, because a batch norm ties the samples of a batch to each other, and then
neither accumulation nor stacked runs could equal the plain run.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.patch_embed._base import PatchEmbed, PatchEmbedSpec, as_tokens


def halvings(size: int) -> int:
    """How often `size` can be halved: 16 -> 4, 14 -> 1."""
    return (size & -size).bit_length() - 1


class ConvStem(PatchEmbed):
    """(3×3 stride 2, group norm, ReLU) once for each factor of two, then the projection."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        count = min(halvings(dims.patch_size[0]), halvings(dims.patch_size[1]))
        widths = [dims.in_chans, *(dims.embed_dim >> (count - 1 - i) for i in range(count))]
        self.stem = nn.Sequential()
        for narrow, wide in pairwise(widths):
            self.stem.append(nn.Conv2d(narrow, wide, 3, stride=2, padding=1, bias=False))
            self.stem.append(nn.GroupNorm(1, wide))
            self.stem.append(nn.ReLU())
        rest = (dims.patch_size[0] >> count, dims.patch_size[1] >> count)
        self.proj = nn.Conv2d(widths[-1], dims.embed_dim, rest, stride=rest)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]"""
        return as_tokens(self.proj(self.stem(images)))


@dataclass(frozen=True)
class Spec(PatchEmbedSpec):
    """No settings: `patch_size` is the model's."""

    mixes_patches: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> PatchEmbed:
        return ConvStem(dims)

    def conflict(self, dims: BlockDims) -> str | None:
        count = min(halvings(dims.patch_size[0]), halvings(dims.patch_size[1]))
        if count and dims.embed_dim >> (count - 1) == 0:
            return f"patch_embed=conv_stem needs embed_dim >= {1 << (count - 1)} for patch_size {dims.patch_size}"
        return None
