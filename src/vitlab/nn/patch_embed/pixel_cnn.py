"""Every pixel a token, after a few 3×3 convolutions at full resolution: the stem of nanovit's VITX.

    x = relu(conv3×3(x)), C -> 32 -> 64 -> D, padding 1, no pooling        [B, C, height, width] -> [B, height·width, D]

As nanovit has it (system R3), which this follows exactly. With three convolutions each token has seen 7×7 pixels. The
activation follows the last convolution too, so no token has a negative value. No relation to the generative PixelCNN.
`patch_size` has no say. Cost: O(L) in tokens, one for every pixel; softmax attention over so many takes O(L²), so a
linear attention is the usual company.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.patch_embed._base import PatchEmbed, PatchEmbedSpec, as_tokens


class PixelCNN(PatchEmbed):
    """(3×3 convolution, ReLU) for each of `widths`, then the same to D as `proj`."""

    def __init__(self, dims: BlockDims, widths: tuple[int, ...]):
        super().__init__()
        self.stem = nn.Sequential()
        for narrow, wide in pairwise((dims.in_chans, *widths)):
            self.stem.append(nn.Conv2d(narrow, wide, 3, padding=1))
            self.stem.append(nn.ReLU())
        self.proj = nn.Conv2d((dims.in_chans, *widths)[-1], dims.embed_dim, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]"""
        return as_tokens(self.proj(self.stem(images)).relu())


@dataclass(frozen=True)
class Spec(PatchEmbedSpec):
    """`widths`: the channels after each convolution but the last, whose are `embed_dim`."""

    mixes_patches: ClassVar[bool] = True
    widths: tuple[int, ...] = (32, 64)
    cuts_patches: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if len(self.widths) > 100:
            raise SpecError(f"patch_embed.widths: {len(self.widths)} convolutions, and at most 100")
        if any(width <= 0 for width in self.widths):
            raise SpecError(f"patch_embed.widths={self.widths}: every width must be positive")

    def build(self, dims: BlockDims) -> PatchEmbed:
        return PixelCNN(dims, self.widths)
