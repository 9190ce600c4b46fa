"""A decoder that reconstructs the image from the patch tokens: the patch embedding is its encoder.

    drawn  = decoder(patches)     transposed 4×4 convolutions of stride 2, padding 1, D -> … -> D -> C
    tokens = patches, unchanged,  loss = weight · mean((drawn - images)²), of each sample

SELU follows each convolution, the last included; there are as many as the patch can be halved. What R0's tables call
"TomViT AE" and "AE2" was never published. *Inferred*: with `patch_embed=spt` this decoder has exactly the parameters
that the tables print, 3,315,949 for 10 classes and 3,333,319 for 100, the one exact fit that was found; whether it is
what was run is unknown. The tokens have no positions yet when they are decoded. As the last SELU ends at -1.76, darker
pixels cannot be drawn. Cost: O(L) in tokens.
"""

from dataclasses import dataclass

from torch import Tensor

from vitlab.nn.auxiliary._base import Auxiliary, Branched
from vitlab.nn.auxiliary._reconstruction import ReconstructionSpec, halvings, squared_error, upwards
from vitlab.nn.dims import BlockDims


class FromTokens(Auxiliary):
    """`decoder`."""

    def __init__(self, dims: BlockDims, weight: float):
        super().__init__()
        self.weight, self.grid = weight, dims.grid
        self.decoder = upwards([dims.embed_dim] * halvings(dims) + [dims.in_chans])

    def forward(self, images: Tensor, patches: Tensor) -> Branched:
        """[B, C, height, width], [B, L, D] -> the same [B, L, D], [B]"""
        drawn = self.decoder(patches.transpose(1, 2).unflatten(2, self.grid))
        return Branched(patches, self.weight * squared_error(images, drawn))


@dataclass(frozen=True)
class Spec(ReconstructionSpec):
    """`weight`: what the mean squared error of the reconstruction counts beside the task's loss."""

    def build(self, dims: BlockDims) -> Auxiliary:
        return FromTokens(dims, self.weight)
