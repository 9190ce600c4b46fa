"""A full factorial: every combination of levels. It tells main effects and interactions apart.

The baseline is the combination of first levels; every other cell is compared with it, and the effects of factors over
all cells are computed besides (`vitlab.stats.factorial`).
"""

import itertools
import math
from dataclasses import dataclass

from vitlab.base.errors import SpecError
from vitlab.study.design._base import MOST_CELLS, Cell, Factor, FactorsDesign, merged, said
from vitlab.train.spec import RunSpec


@dataclass(frozen=True)
class Spec(FactorsDesign):
    """`factors`, each with its reference first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (number := math.prod(len(factor.levels) for factor in self.factors)) > MOST_CELLS:
            raise SpecError(f"factors: {number:,} combinations of levels, and at most {MOST_CELLS:,}")

    def cells(self, base: RunSpec) -> list[Cell]:
        cells: list[Cell] = []
        for combination in itertools.product(*(factor.levels for factor in self.factors)):
            pairs = list(zip(self.factors, combination, strict=True))
            changes = [said(f, level, f.levels[0]) for f, level in pairs if level is not f.levels[0]]
            levels = {factor.name: level.name for factor, level in pairs}
            name = ", ".join(f"{factor} {level}" for factor, level in levels.items())
            against = cells[0].name if cells else None
            cells.append(Cell(name, merged(combination), levels, against, " and ".join(changes)))
        return cells

    def factors_crossed(self) -> tuple[Factor, ...]:
        return self.factors
