"""Every pixel a token: the transformer sees the image as it is.

    tokens = pixels · proj + bias        [B, height·width, C] -> [B, L, D], L = height·width

As nanovit's VITL has it (system R3), which this follows exactly. `patch_size` has no say. The same function as `linear`
at a patch size of 1, with the weight of a linear layer, [D, C]. Cost: O(L) in itself; but L grows from the number of
patches to that of pixels, and softmax attention over them takes O(L²), so a linear attention is the usual company.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.patch_embed._base import PatchEmbed, PatchEmbedSpec, as_tokens


class Pixels(PatchEmbed):
    """One linear map, `proj`, on the channels of every pixel."""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.proj = nn.Linear(dims.in_chans, dims.embed_dim)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]"""
        return self.proj(as_tokens(images))


@dataclass(frozen=True)
class Spec(PatchEmbedSpec):
    """No settings."""

    cuts_patches: ClassVar[bool] = False

    def build(self, dims: BlockDims) -> PatchEmbed:
        return Pixels(dims)
