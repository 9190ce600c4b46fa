"""`BlockDims`: what every part of the model is told when it is built.

Every variant's `build` receives this one object, so a new variant that needs one more number changes no signature.
It is made by `models.spec.ViTSpec.dims`; parts read it and never write it.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn


class BuildsPart(Protocol):
    """The settings of a part that others are made of, seen from below: what it builds says its own family."""

    def build(self, dims: "BlockDims") -> Any:
        """The part for these sizes."""


class BuildsNorm(Protocol):
    """The settings of a norm, seen from below: it is built for a width, since it serves attention heads too."""

    def build(self, width: int) -> nn.Module:
        """The norm over the last axis."""


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
    num_registers: int  # of the prefix tokens, the last
    num_classes: int
    qkv_bias: bool
    proj_bias: bool
    mlp_bias: bool
    qk_norm: bool
    scale_attn_norm: bool
    scale_mlp_norm: bool
    layer_scale: float | None
    drop_path: float  # of the last block; the first has 0, those between rise linearly
    mixer_dropout: float
    mlp_dropout: float
    norm: BuildsNorm
    attention: BuildsPart
    mixer: BuildsPart
    mlp: BuildsPart
    layer: int = 0  # which block is being built
    branch: str = ""  # where in the block, if it has several parts of one kind

    @property
    def place(self) -> str:
        """What is being built, so that every place draws its own random numbers."""
        return f"blocks.{self.layer}{self.branch}"

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
