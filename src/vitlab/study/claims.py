"""What a study claims: every comparison, and every effect of a full factorial, as contrasts of its cells.

Plans need them to see whether so many seeds could decide anything, outcomes to decide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Protocol

from vitlab.stats.decision import ALPHA
from vitlab.stats.factorial import Effect, effects
from vitlab.stats.permutation import smallest_p
from vitlab.stats.sign_flip import smallest_sign_flip_p

_MOST_SEEDS = 100  # that a refusal advises


class Compared(Protocol):
    """A cell, as plans and records have it."""

    @property
    def name(self) -> str: ...
    @property
    def levels(self) -> Mapping[str, str]: ...
    @property
    def against(self) -> str | None: ...


@dataclass(frozen=True)
class Contrast:
    """What is claimed: `weights` by cell, and the pairs of cells that may exchange runs, none of an interaction."""

    name: str
    weights: Mapping[str, float]
    exchangeable: tuple[tuple[str, str], ...]

    def smallest_p(self, seeds: Mapping[str, int], *, paired: bool) -> float:
        """That its test over runs can reach, with so many seeds of each cell."""
        if paired:
            return smallest_sign_flip_p(min(seeds[cell] for cell in self.weights))
        return (
            smallest_p(tuple((seeds[one], seeds[other]) for one, other in self.exchangeable))
            if self.exchangeable
            else 0
        )


def comparisons(cells: Iterable[Compared]) -> list[Contrast]:
    """Every cell that is compared with another."""
    return [
        Contrast(cell.name, {cell.name: 1.0, cell.against: -1.0}, ((cell.name, cell.against),))
        for cell in cells
        if cell.against is not None
    ]


def effect_contrasts(
    cells: Sequence[Compared], crossed: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Effect, Contrast]]:
    """Every effect of the factors that are crossed; of a single one there is nothing that comparisons do not say."""
    names = {tuple(cell.levels[factor] for factor in crossed): cell.name for cell in cells}
    for effect in effects(crossed) if len(crossed) > 1 else ():
        weights = {names[combination]: weight for combination, weight in effect.weights.items()}
        pairs = tuple((names[one], names[other]) for one, other in effect.exchangeable)
        pairs_told = " × ".join(map("=".join, zip(effect.factors, effect.levels, strict=True)))
        yield effect, Contrast(f"effect {pairs_told}", weights, pairs)


def all_contrasts(cells: Sequence[Compared], crossed: Mapping[str, Sequence[str]]) -> list[Contrast]:
    """Every claim of a study: what Holm's correction goes over."""
    return [*comparisons(cells), *(contrast for _, contrast in effect_contrasts(cells, crossed))]


def seeds_by_cell(cells: Sequence[Compared], seeds: int, of_baselines: int | None, *, paired: bool) -> dict[str, int]:
    """How many seeds each cell gets. A cell that k others are compared with gets about √k times as many, which is what
    makes k comparisons the most exact for their runs (Dunnett 1955), unless the study says how many.
    """
    times = {cell.name: sum(other.against == cell.name for other in cells) for cell in cells}
    if paired:
        return dict.fromkeys(times, seeds)
    return {name: (of_baselines or ceil(sqrt(k) * seeds)) if k > 1 else seeds for name, k in times.items()}


def undecidable(contrasts: Sequence[Contrast], seeds: Mapping[str, int], *, paired: bool) -> list[Contrast]:
    """The claims that no result could decide, though all before them were: Holm's procedure goes from the smallest p
    on, and stops where one is not small enough.
    """
    floors = sorted(contrasts, key=lambda each: each.smallest_p(seeds, paired=paired))
    for place, each in enumerate(floors):
        if each.smallest_p(seeds, paired=paired) > ALPHA / (len(floors) - place):
            return floors[place:]
    return []


def enough_seeds(cells: Sequence[Compared], contrasts: Sequence[Contrast], *, paired: bool) -> int | None:
    """The fewest seeds of each cell with which all claims can be decided."""
    for number in range(2, _MOST_SEEDS):
        if not undecidable(contrasts, seeds_by_cell(cells, number, None, paired=paired), paired=paired):
            return number
    return None
