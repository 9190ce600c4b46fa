"""The contract of a position embedding.

There are three ways to tell a token its place, and a variant overrides those that it uses:

    add(tokens)       tokens [B, N, D] with positions added
    rotate(q, k)      queries and keys [B, H, N, K], rotated by position
    bias(q)           what is added to the attention logits: [H, N, N], or [B, H, N, N] if it depends on the query

The model calls `add` on the stem's tokens. `layer(i)` is what block i sees: `add` is called on the tokens that enter
the block, `rotate` and `bias` inside its attention. Prefix tokens come first among the N.

What is added can be added in three places (arXiv 2010.11929, appendix D.4): at the stem, at every layer by a table of
the layer's own, or at every layer by a table that all share. `placed` is that choice, for every additive embedding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.part import PartSpec

Place = Literal["stem", "every_layer", "every_layer_shared"]


class PosEmbed(nn.Module):
    """A position embedding that does nothing; the variants override what they do."""

    def add(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return tokens

    def rotate(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """[B, H, N, K] twice -> the same, rotated"""
        return q, k

    def bias(self, q: Tensor) -> Tensor | None:
        """[B, H, N, K] -> [H, N, N], [B, H, N, N] or None"""
        return None

    def layer(self, index: int) -> "PosEmbed":
        """The positions that block `index` sees."""
        return self


class AtStem(PosEmbed):
    """A position embedding of which the blocks see nothing; the variants override `add`."""

    def layer(self, index: int) -> PosEmbed:
        """None of it."""
        return _NOTHING


class AtLayers(PosEmbed):
    """One position embedding for each block, or one for all of them."""

    def __init__(self, tables: Sequence[PosEmbed]):
        super().__init__()
        self.tables = nn.ModuleList(tables)

    def layer(self, index: int) -> PosEmbed:
        """The one that block `index` sees."""
        table = self.tables[index % len(self.tables)]
        assert isinstance(table, PosEmbed)
        return table


_NOTHING = PosEmbed()


def placed(make: Callable[[], AtStem], place: Place, dims: BlockDims) -> PosEmbed:
    """An additive embedding in its place."""
    if place == "stem":
        return make()
    return AtLayers([make() for _ in range(dims.depth if place == "every_layer" else 1)])


@dataclass(frozen=True)
class PosEmbedSpec(PartSpec):
    """A position embedding's settings."""

    family: ClassVar[str] = "vitlab.nn.pos_embed"
    gives_bias: ClassVar[bool] = False  # adds to the attention logits
    rotates: ClassVar[bool] = False  # turns queries and keys

    def build(self, dims: BlockDims) -> PosEmbed:
        """The positions of the whole model."""
        raise NotImplementedError
