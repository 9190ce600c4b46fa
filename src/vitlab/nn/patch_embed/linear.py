"""Non-overlapping patches, each through one linear map: the ViT paper's embedding (arXiv 2010.11929, equation 1).

The weight has a convolution's shape [D, C, P, P], as in timm, and is applied as the matrix that it is: a convolution
whose stride is its kernel is a matrix product over patches, and that is the faster way to write it.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import linear

from vitlab.base.spec import added
from vitlab.nn.dims import BlockDims
from vitlab.nn.patch_embed._base import PatchEmbed, PatchEmbedSpec, cut
from vitlab.nn.resizing import Resizing


class Linear(PatchEmbed):
    """patches [B, L, C·P·P] times `proj`, then `norm` where there is one"""

    def __init__(self, dims: BlockDims, bias: bool, norm: bool):
        super().__init__()
        self.grid, self.patch_size = dims.grid, dims.patch_size
        self.proj = nn.Conv2d(dims.in_chans, dims.embed_dim, dims.patch_size, stride=dims.patch_size, bias=bias)
        self.norm = dims.norm.build(dims.embed_dim) if norm else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]"""
        patches = cut(images, self.grid, self.patch_size)
        return self.norm(linear(patches, self.proj.weight.flatten(1), self.proj.bias))


@dataclass(frozen=True)
class Spec(PatchEmbedSpec):
    """`bias`: whether the map has one; CLIP's has none. `norm`: whether the model's norm follows, as in AIMv2.

    `patch_size` is the model's.
    """

    bias: bool = added(True)
    norm: bool = added(False)

    def resized(self, name: str, tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
        return resizing.kernel(tensor, after.patch_size) if name == "proj.weight" else tensor

    def build(self, dims: BlockDims) -> PatchEmbed:
        return Linear(dims, self.bias, self.norm)
