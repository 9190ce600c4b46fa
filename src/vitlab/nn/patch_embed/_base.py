"""The contract of a patch embedding: image [B, C, height, width] -> patch tokens [B, L, D], row by row."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.base.spec import Component
from vitlab.nn.dims import BlockDims


class PatchEmbed(nn.Module):
    """Base class of the patch embeddings."""

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]; L is rows times columns of the grid, in that order."""
        raise NotImplementedError


@dataclass(frozen=True)
class PatchEmbedSpec(Component):
    """A patch embedding's settings."""

    family: ClassVar[str] = "vitlab.nn.patch_embed"

    def build(self, dims: BlockDims) -> PatchEmbed:
        """The embedding for images of `dims.img_size`."""
        raise NotImplementedError

    def conflict(self, dims: BlockDims) -> str | None:
        """Why it cannot serve a model of these sizes, naming both settings; None if it can."""
        return None
