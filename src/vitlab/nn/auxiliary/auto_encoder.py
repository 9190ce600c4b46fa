"""A convolutional auto-encoder beside the patch embedding, whose code is added to the patch tokens.

    code   = encoder(images)      3×3 convolutions of stride 2, padding 1, C -> … -> C -> D     [B, D, rows, columns]
    drawn  = decoder(code)        transposed 4×4 ones of stride 2, padding 1, D -> C -> … -> C  [B, C, height, width]
    tokens = patches + code,      loss = weight · mean((drawn - images)²), of each sample

SELU follows each convolution, the last included. This is the published code of R0's "TomViT + AE" (no paper) for its
patches of 4 pixels, that is, two convolutions each way; here there are as many as the patch can be halved. The images
are what the model is given, augmented and normalised. R0 adds the code after the positions, the same sum. One
consequence of the last SELU: nothing below -1.76 can be drawn, and normalised pixels reach below -2, so the loss has a
floor above zero on dark pictures. Cost: O(L) in tokens.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from vitlab.nn.auxiliary._base import Auxiliary, Branched
from vitlab.nn.auxiliary._reconstruction import ReconstructionSpec, halvings, squared_error, upwards
from vitlab.nn.dims import BlockDims


class AutoEncoder(Auxiliary):
    """`encoder` and `decoder`."""

    def __init__(self, dims: BlockDims, weight: float):
        super().__init__()
        self.weight = weight
        widths = [dims.in_chans] * halvings(dims) + [dims.embed_dim]
        self.encoder = nn.Sequential()
        for narrow, wide in pairwise(widths):
            self.encoder.append(nn.Conv2d(narrow, wide, 3, stride=2, padding=1))
            self.encoder.append(nn.SELU())
        self.decoder = upwards(widths[::-1])

    def forward(self, images: Tensor, patches: Tensor) -> Branched:
        """[B, C, height, width], [B, L, D] -> [B, L, D], [B]"""
        code = self.encoder(images)
        loss = self.weight * squared_error(images, self.decoder(code))
        return Branched(patches + code.flatten(2).transpose(1, 2), loss)


@dataclass(frozen=True)
class Spec(ReconstructionSpec):
    """`weight`: what the mean squared error of the reconstruction counts beside the task's loss."""

    mixes_patches: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> Auxiliary:
        return AutoEncoder(dims, self.weight)
