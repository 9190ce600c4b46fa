"""An explicit list of cells, each named and with its settings; every other one is compared with the first."""

from dataclasses import dataclass

from vitlab.base.errors import SpecError
from vitlab.study.design._base import Cell, DesignSpec, Level
from vitlab.train.spec import RunSpec

FACTOR = "system"


@dataclass(frozen=True)
class Spec(DesignSpec):
    """`entries`: the cells, the baseline first."""

    entries: tuple[Level, ...]

    def __post_init__(self) -> None:
        names = [level.name for level in self.entries]
        if not names or len(set(names)) < len(names):
            raise SpecError(f"design.entries={names}: expected one cell or more, all of different names")

    def cells(self, base: RunSpec) -> list[Cell]:
        first = self.entries[0].name
        return [
            Cell(
                level.name,
                level.settings,
                {FACTOR: level.name},
                None if level.name == first else first,
                level.says or f"{level.name} instead of {first}",
            )
            for level in self.entries
        ]
