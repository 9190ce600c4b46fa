"""`BlockDims`: what every part of the model is told when it is built.

Every variant's `build` receives this one object, so a new variant that needs one more number changes no signature.
It is made by `models.vit.ViTSpec.dims`; parts read it and never write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitlab.nn.attention._base import AttentionSpec
    from vitlab.nn.mixer._base import MixerSpec
    from vitlab.nn.mlp._base import MLPSpec
    from vitlab.nn.norm._base import NormSpec


@dataclass(frozen=True)
class BlockDims:
    """Sizes in pixels, patches, tokens and channels, and the parts of which larger parts are made."""

    img_size: tuple[int, int]  # rows, columns
    patch_size: tuple[int, int]  # (1, 1) where the patch embedding makes every pixel a token
    in_chans: int
    embed_dim: int
    depth: int
    num_heads: int
    head_dim: int
    mlp_dim: int
    num_prefix_tokens: int
    num_classes: int
    qkv_bias: bool
    proj_bias: bool
    qk_norm: bool
    layer_scale: float | None
    drop_path: float  # of the last block; the first has 0, those between rise linearly
    mixer_dropout: float
    mlp_dropout: float
    norm: NormSpec
    attention: AttentionSpec
    mixer: MixerSpec
    mlp: MLPSpec
    layer: int = 0  # which block is being built, so that every place draws its own random numbers

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.img_size[0] // self.patch_size[0], self.img_size[1] // self.patch_size[1]

    @property
    def num_patches(self) -> int:
        """L, the number of patch tokens."""
        return self.grid[0] * self.grid[1]

    @property
    def num_tokens(self) -> int:
        """N, patch tokens and prefix tokens."""
        return self.num_patches + self.num_prefix_tokens
