"""Leave one out: the baseline has every part, every other cell lacks one.

Each factor has two levels, without and with the part; the baseline is *with* all of them. The counterpart of one factor
at a time, which adds single parts to none: where parts can stand in for each other the two designs disagree, and both
are right.
"""

from dataclasses import dataclass

from vitlab.base.errors import SpecError
from vitlab.study.design._base import BASELINE, Cell, FactorsDesign, merged
from vitlab.train.spec import RunSpec


@dataclass(frozen=True)
class Spec(FactorsDesign):
    """`factors`, each with two levels: without, with."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for factor in self.factors:
            if len(factor.levels) != 2:
                raise SpecError(f"factor {factor.name}: {len(factor.levels)} levels; it needs two: without, with")

    def cells(self, base: RunSpec) -> list[Cell]:
        whole = {factor.name: factor.levels[1] for factor in self.factors}
        names = {name: level.name for name, level in whole.items()}
        cells = [Cell(BASELINE, merged(list(whole.values())), names, None, "")]
        for factor in self.factors:
            without, _ = factor.levels
            settings = merged(list((whole | {factor.name: without}).values()))
            levels = names | {factor.name: without.name}
            says = without.says or f"leaving out {factor.name}"
            cells.append(Cell(f"without {factor.name}", settings, levels, BASELINE, says))
        return cells
