"""Main effects and two-way interactions of a full factorial, as contrasts of its cells.

With μ[i, j, …] the mean of the cell at level i of one factor, j of another, and a dot for the mean over a factor's
levels:

    main effect of level i           μ[i, ·] - μ[0, ·]
    interaction of levels i and j    (μ[i, j] - μ[0, j]) - (μ[i, 0] - μ[0, 0])

(Level 0 is a factor's first, its reference.) So a main effect is what a change of level does on average over all other
factors, and an interaction is how much one change alters what the other does; both in the metric's units. Runs can be
exchanged between the two levels of a main effect, within each combination of the others; those of an interaction
cannot, so it is tested by the crossed t alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from vitlab.base.errors import UserError

Level = str
Combination = tuple[Level, ...]  # a level of each factor, in their order


@dataclass(frozen=True)
class Effect:
    """What is claimed of one level of a factor, or of a level of two, against the references.

    `weights` are the contrast's, by combination of levels; `exchangeable`: which pairs of combinations may exchange
    their runs, none of an interaction.
    """

    factors: tuple[str, ...]
    levels: tuple[Level, ...]
    references: tuple[Level, ...]
    weights: Mapping[Combination, float]
    exchangeable: tuple[tuple[Combination, Combination], ...]


def effects(factors: Mapping[str, Sequence[Level]]) -> Iterator[Effect]:
    """Every main effect, then every interaction of two. Raises UserError for a factor that has nothing to compare."""
    for name, levels in factors.items():
        if len(levels) < 2 or len(set(levels)) < len(levels):
            raise UserError(f"{name}={list(levels)}: a factor has two levels or more, all different")
    for names in (*combinations(factors, 1), *combinations(factors, 2)):
        for levels in product(*(factors[name][1:] for name in names)):
            yield _effect(factors, names, levels)


def _effect(factors: Mapping[str, Sequence[Level]], names: tuple[str, ...], levels: Combination) -> Effect:
    references = tuple(factors[name][0] for name in names)
    changed = dict(zip(names, levels, strict=True))
    others = list(product(*(given for name, given in factors.items() if name not in names)))

    def combination(chosen: Mapping[str, Level], rest: Combination) -> Combination:
        left = iter(rest)
        return tuple(chosen[name] if name in chosen else next(left) for name in factors)

    weights: dict[Combination, float] = {}
    for count in range(len(names) + 1):  # how many of the factors are at their level, the rest at the reference
        for there in combinations(names, count):
            chosen = {name: changed[name] if name in there else factors[name][0] for name in names}
            sign = (-1) ** (len(names) - count)
            weights |= {combination(chosen, rest): sign / len(others) for rest in others}
    base = dict(zip(names, references, strict=True))
    pairs = tuple((combination(changed, rest), combination(base, rest)) for rest in others)
    return Effect(names, levels, references, weights, pairs if len(names) == 1 else ())
