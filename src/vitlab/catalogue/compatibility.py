"""Compatibility: which choices do not go together and why, asked of the rules themselves."""

from collections.abc import Iterator
from math import prod

from vitlab.models.combinations import Space, axes, families
from vitlab.models.spec import ViTSpec
from vitlab.nn.pool import mean

COLUMNS = ("choice", "cannot be combined with", "because")
PREFACE = """Any attention can be combined with any position embedding, block, pooling and so on, except for the pairs
below. They are refused before anything is built. This page is printed by `vitlab list compatibility --markdown`, from
the rules in `src/vitlab/models/spec.py` and each part's `conflict`; a test checks that it is up to date."""
ASIDE = "Everything else can be combined. Sizes may be refused too; the message names both settings and what is legal."


def page() -> str:
    """The page docs/compatibility.md, as it is committed."""
    rows = "\n".join(f"| `{choice}` | `{other}` | {why} |" for choice, other, why in refused())
    table = f"| {' | '.join(COLUMNS)} |\n|---|---|---|\n{rows}"
    return f"# What cannot be combined\n\n{PREFACE}\n\n{table}\n\n{ASIDE}\n\n{count()}\n"


def refused() -> Iterator[tuple[str, str, str]]:
    """Every pair of choices that a ViT-B/16 without other changes would be refused for."""
    for first, second, why in Space(_base(), families()).refused.values():
        yield first.name, second.name, why


def count() -> str:
    """How many combinations there are of what matters most, and how many of them are legal."""
    space = Space(_base(), axes())
    legal, every = sum(1 for _ in space.all()), prod(len(options) for options in space.axes.values())
    named = "patch embedding, positions and place, attention or mixer, block, pooling, prefix tokens"
    return f"Combinations of {named}: {every:,}, of which {legal:,} are legal."


def _base() -> ViTSpec:
    """A ViT-B/16 whose own choices go with every other: mean pooling needs no cls token."""
    return ViTSpec(pool=mean.Spec())
