"""Patches that reach into their neighbours: one strided convolution with a kernel larger than its stride.

    tokens = conv(images; kernel k, stride P, padding (k - P + 1) // 2)        [B, C, height, width] -> [B, L, D]

(CvT's convolutional token embedding, arXiv 2103.15808, section 3.2; SegFormer's overlap patch merging, arXiv
2105.15203, section 3.1.) The default kernel is 2P - 1, both papers' 7 at a stride of 4 and 3 at a stride of 2. The
padding is CvT's, 2 and 1: it puts the kernel's middle on the patch's, so that each token sees its own patch and about
P / 2 pixels around it, the grid is the same as without overlap, and a kernel of P is `linear`. SegFormer's padding at a
stride of 4 is 3, which lies a pixel further up and left. Differs from both papers, which normalise the tokens: here no
norm follows, so that the overlap is all that changes; and the model has one such embedding, not one a stage. Cost:
O(L) in tokens, (k / P)² times `linear`.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.patch_embed._base import PatchEmbed, PatchEmbedSpec, as_tokens


class Overlapping(PatchEmbed):
    """One convolution, `proj`."""

    def __init__(self, dims: BlockDims, kernel: tuple[int, int]):
        super().__init__()
        (height, width), (rows, columns) = kernel, dims.patch_size
        padding = ((height - rows + 1) // 2, (width - columns + 1) // 2)
        self.proj = nn.Conv2d(dims.in_chans, dims.embed_dim, kernel, stride=dims.patch_size, padding=padding)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]"""
        return as_tokens(self.proj(images))


@dataclass(frozen=True)
class Spec(PatchEmbedSpec):
    """`kernel`: the side of what a patch sees, odd and at least `patch_size`; null: 2 · patch_size - 1."""

    mixes_patches: ClassVar[bool] = True
    kernel: int | None = None

    def __post_init__(self) -> None:
        if self.kernel is not None and (self.kernel <= 0 or self.kernel % 2 == 0):
            raise SpecError(f"patch_embed.kernel={self.kernel}: must be odd and positive, or null for 2·patch_size - 1")

    def build(self, dims: BlockDims) -> PatchEmbed:
        height, width = dims.patch_size
        kernel = (2 * height - 1, 2 * width - 1) if self.kernel is None else (self.kernel, self.kernel)
        return Overlapping(dims, kernel)

    def conflict(self, dims: BlockDims) -> str | None:
        largest = max(dims.patch_size)
        if self.kernel is not None and self.kernel < largest:
            return (
                f"patch_embed.kernel={self.kernel} is smaller than patch_size={largest}, and pixels between patches "
                f"would be lost; legal: odd numbers from {largest | 1}"
            )
        return None
