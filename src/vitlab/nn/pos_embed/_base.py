"""The contract of a position embedding.

There are three ways to tell a token its place, and a variant overrides those that it uses:

    add(tokens)       the stem's tokens [B, N, D] with positions added
    rotate(q, k)      queries and keys [B, H, N, K], rotated by position
    bias(q)           what is added to the attention logits, [H, N, N]

`add` is called once, before the first block. `layer(i)` is what block i sees: the object whose `rotate` and `bias` it
calls, shared by all blocks unless the variant keeps one for each. Prefix tokens come first among the N.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.base.spec import Component
from vitlab.nn.dims import BlockDims


class PosEmbed(nn.Module):
    """A position embedding that does nothing; the variants override what they do."""

    def add(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return tokens

    def rotate(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """[B, H, N, K] twice -> the same, rotated"""
        return q, k

    def bias(self, q: Tensor) -> Tensor | None:
        """[B, H, N, K] -> [H, N, N] or None"""
        return None

    def layer(self, index: int) -> "PosEmbed":
        """The positions that block `index` sees."""
        return self


@dataclass(frozen=True)
class PosEmbedSpec(Component):
    """A position embedding's settings."""

    family: ClassVar[str] = "vitlab.nn.pos_embed"
    gives_bias: ClassVar[bool] = False  # adds to the attention logits
    rotates: ClassVar[bool] = False  # turns queries and keys

    def build(self, dims: BlockDims) -> PosEmbed:
        """The positions of the whole model."""
        raise NotImplementedError

    def conflict(self, dims: BlockDims) -> str | None:
        """Why this embedding cannot serve a model of these sizes, naming both settings; None if it can."""
        return None
