"""A study's execution.json: how each cell is trained, and what was measured to choose that.

What is fastest differs between machines, so it stands here once for every kind of host that has trained for the study.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from vitlab.base.errors import SpecError
from vitlab.base.spec import Spec
from vitlab.records._base import Record, check_counts, check_least


@dataclass(frozen=True)
class CellExecution(Spec):
    """How a cell's runs are trained on one kind of host.

    `execution` are its settings, `called` is what people call it. `measured` has the seconds of a run's step by
    such names, `unmeasured` why some executions could not be measured. `expected` are the seconds of a run's step
    by FLOPs where none was measured.
    """

    execution: Mapping[str, Any]
    called: str
    measured: Mapping[str, float]
    steps_per_epoch: float | None
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    seeds: int = 0
    expected: float | None = None

    def __post_init__(self) -> None:
        check_least(self, 0, "steps_per_epoch", "steps", "seeds", "expected")
        check_counts("measured", self.measured)


@dataclass(frozen=True)
class CellCosts(Spec):
    """What a cell takes in time, round by round: seconds of a training step of one run, and of one image forward; and
    the share of that time in which the process was computing, where that is known.
    """

    step: tuple[float, ...]
    image: tuple[float, ...]
    busy: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if not len(self.step) == len(self.image) == len(self.busy) > 0:
            raise SpecError("step, image and busy have a value each in every round")
        if min(*self.step, *self.image) <= 0:
            raise SpecError(f"step={list(self.step)}, image={list(self.image)}: must be positive")


@dataclass(frozen=True)
class HostExecution(Spec):
    """One kind of host; how it trains each cell, and what each costs there, by the cell's folder."""

    host: Mapping[str, Any]
    cells: Mapping[str, CellExecution] = field(default_factory=dict)
    costs: Mapping[str, CellCosts] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionRecord(Record):
    """All kinds of host, each by the name of its kind."""

    file: ClassVar[str] = "execution.json"
    remedy: ClassVar[str] = "remove it, and it is measured again"

    hosts: Mapping[str, HostExecution] = field(default_factory=dict)

    def on(self, kind: str) -> Mapping[str, CellExecution]:
        """How each cell is trained on a kind of host, as far as that is known."""
        return self.hosts[kind].cells if kind in self.hosts else {}

    def noting(self, kind: str, host: Mapping[str, Any], cells: Mapping[str, CellExecution]) -> Self:
        """A copy that knows more of a kind of host."""
        known = self.hosts.get(kind, HostExecution(host))
        return replace(self, hosts={**self.hosts, kind: replace(known, cells={**known.cells, **cells})})

    def costing(self, kind: str, costs: Mapping[str, CellCosts]) -> Self:
        """A copy that knows what cells cost on a kind of host that is known."""
        return replace(self, hosts={**self.hosts, kind: replace(self.hosts[kind], costs=costs)})

    def costs(self, cells: Collection[str]) -> Mapping[str, CellCosts]:
        """What all of these cells cost on one kind of host; empty where no host has timed all."""
        known = (host.costs for host in self.hosts.values() if host.costs.keys() >= set(cells))
        return next(known, {})
