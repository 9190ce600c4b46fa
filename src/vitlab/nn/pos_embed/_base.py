"""The contract of a position embedding.

There are three ways to tell a token its place, and a variant overrides those that it uses:

    add(tokens)       tokens [B, N, D] with positions added
    rotate(q, k)      queries and keys [B, H, N, K], rotated by position
    bias(q)           what is added to the attention logits: [H, N, N], or [B, H, N, N] if it depends on the query

The model calls `add` on the stem's tokens. `layer(i)` is what block i sees: `add` is called on the tokens that enter
the block, `rotate` and `bias` inside its attention. Prefix tokens come first among the N.

An encoder may be given only some of the patches, other ones of every image. Then the three methods are handed `places`
[B, n], where each of the n tokens stands among all N, and use the positions of these: so does `layer(i).at(places)`,
for a block that knows nothing of it.

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

    places: Tensor | None = None  # of which tokens alone these are the positions, [B, n]; None: of all N

    def add(self, tokens: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return tokens

    def rotate(self, q: Tensor, k: Tensor, places: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[B, H, N, K] twice -> the same, rotated"""
        return q, k

    def bias(self, q: Tensor, places: Tensor | None = None) -> Tensor | None:
        """[B, H, N, K] -> [H, N, N], [B, H, N, N] or None"""
        return None

    def layer(self, index: int) -> "PosEmbed":
        """The positions that block `index` sees."""
        return self

    def at(self, places: Tensor | None) -> "PosEmbed":
        """The positions of the tokens at `places` [B, n] alone; of all N in their order where that is None."""
        return self if places is None else SomePlaces(self, places)

    def everywhere(self) -> "PosEmbed":
        """The positions of all tokens."""
        return self


class SomePlaces(PosEmbed):
    """The positions of some tokens, other ones of every image."""

    def __init__(self, positions: PosEmbed, places: Tensor):
        super().__init__()
        self.positions, self.places = positions, places

    def everywhere(self) -> PosEmbed:
        """Those of which these are some."""
        return self.positions

    def add(self, tokens: Tensor, places: Tensor | None = None) -> Tensor:
        """[B, n, D] -> [B, n, D]"""
        return self.positions.add(tokens, self.places)

    def rotate(self, q: Tensor, k: Tensor, places: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[B, H, n, K] twice -> the same, rotated"""
        return self.positions.rotate(q, k, self.places)

    def bias(self, q: Tensor, places: Tensor | None = None) -> Tensor | None:
        """[B, H, n, K] -> [B, H, n, n] or None"""
        return self.positions.bias(q, self.places)


def rows_at(table: Tensor, places: Tensor | None) -> Tensor:
    """table [N, ...] and places [B, n] -> its rows there, [B, n, ...]; the table itself where `places` is None."""
    return table if places is None else table[places]


def pairs_at(table: Tensor, places: Tensor | None) -> Tensor:
    """table [N, N] and places [B, n] -> its entries for every pair of these, [B, n, n]; or the table itself."""
    return table if places is None else table[places[:, :, None], places[:, None, :]]


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
    stretches: ClassVar[bool] = False  # at another size keeps the range that it was trained on

    @property
    def suits_any_grid(self) -> bool:
        """Whether positions are within the range of training on a grid of any size, without being stretched."""
        return False

    def build(self, dims: BlockDims) -> PosEmbed:
        """The positions of the whole model."""
        raise NotImplementedError
