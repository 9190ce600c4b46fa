"""What the runs of all cells have alike, so that cells differ in what the study asks and in nothing else: the kernel of
attention, and how many processes share the cores, since that is each one's number of threads. (Precision and device are
the study's anyway.)

Two kernels of one mechanism differ by rounding, and after some hundred steps by 1e-2 in the weights. So what is fastest
is not asked cell by cell: of every kernel and number of processes the time is added up that all cells would take, each
in its best way of these, and the least is taken.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from vitlab.base.spec import to_dict
from vitlab.nn.kernel import Kernel
from vitlab.records.execution import CellExecution
from vitlab.study.execution import Execution


class Alike(NamedTuple):
    """What all cells have in common."""

    kernel: Kernel | None
    jobs: int


def alike(execution: Execution) -> Alike:
    """What an execution leaves for all cells to have."""
    return Alike(execution.kernel, execution.jobs)


@dataclass(frozen=True)
class Family:
    """Cells of one structure: what was measured of each, the ways each may be trained, and those of all in one stack.

    `stack`: whether a stack was asked for; a way without one is then taken only where there is no other.
    """

    cells: Sequence[CellExecution]
    alone: Sequence[Execution]
    together: Sequence[Execution]
    stack: bool = False

    def seconds(self, shared: Alike) -> float:
        """What all its runs take in the best of the shared ways; of cells that could not be measured nothing."""
        return min(self._apart(shared), self._together(shared))

    def whole(self, shared: Alike) -> Execution | None:
        """The way in which all are trained in one stack, if that is the fastest of the shared ones."""
        whole = next(_of(self.together, shared), None)
        return whole if self._together(shared) < self._apart(shared) else None

    def _apart(self, shared: Alike) -> float:
        ways = [str(way) for way in _of(self.alone, shared) if way.stack != "none" or not self.stack]
        return sum(
            _work(cell) * min((cell.measured.get(way, math.inf) for way in ways), default=math.inf)
            for cell in self._measured
        )

    def _together(self, shared: Alike) -> float:
        whole = str(next(_of(self.together, shared), None))
        return sum(_work(cell) * cell.measured.get(whole, math.inf) for cell in self._measured)

    @property
    def _measured(self) -> list[CellExecution]:
        return [cell for cell in self.cells if cell.measured]


def settled(families: Sequence[Family], before: Sequence[Execution]) -> Iterator[CellExecution]:
    """Every cell of every family in its best way of those that all can share. One that could not be measured is trained
    as the one before it. `before`: how other cells of the study are trained already.
    """
    shared, taken = _shared(families, before), None
    for family in families:
        whole, ways = family.whole(shared), list(_of(family.alone, shared))
        for cell in family.cells:
            known = [way for way in ways if str(way) in cell.measured]
            taken = min(known, key=lambda way: cell.measured[str(way)], default=taken or next(iter(ways), None))
            chosen = whole or taken
            yield cell if chosen is None else replace(cell, execution=to_dict(chosen), called=str(chosen))


def _shared(families: Sequence[Family], before: Sequence[Execution]) -> Alike:
    """What all have alike: as it was before, or else what takes the least time in all."""
    if before:
        return alike(before[0])
    ways = [way for family in families for way in (*family.alone, *family.together)]
    return min(map(alike, ways), key=lambda shared: sum(family.seconds(shared) for family in families))


def _of(ways: Sequence[Execution], shared: Alike) -> Iterator[Execution]:
    return (way for way in ways if alike(way) == shared)


def _work(cell: CellExecution) -> float:
    """How many steps its runs have; where that is not known all count alike."""
    return float((cell.steps or 1) * (cell.seeds or 1))
