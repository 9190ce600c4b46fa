"""One factor at a time: the baseline has every factor's first level, every other cell changes one factor of it.

1 + Σ(levels - 1) cells. It answers what each change does *to this baseline*; whether two changes add up only a full
factorial can say.
"""

from dataclasses import dataclass

from vitlab.study.design._base import BASELINE, Cell, FactorsDesign, merged, said
from vitlab.train.spec import RunSpec


@dataclass(frozen=True)
class Spec(FactorsDesign):
    """`factors`, each with its reference first."""

    def cells(self, base: RunSpec) -> list[Cell]:
        first = {factor.name: factor.levels[0] for factor in self.factors}
        names = {name: level.name for name, level in first.items()}
        cells = [Cell(BASELINE, merged(list(first.values())), names, None, "")]
        for factor in self.factors:
            reference, *others = factor.levels
            for level in others:
                settings = merged(list((first | {factor.name: level}).values()))
                levels = names | {factor.name: level.name}
                name = f"{factor.name} {level.name}"
                cells.append(Cell(name, settings, levels, BASELINE, said(factor, level, reference)))
        return cells
