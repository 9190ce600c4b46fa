"""A study's execution.json: how each cell is trained, and what was measured to choose that.

What is fastest differs between machines, so it stands here once for every kind of host that has trained for the study.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from vitlab.base.spec import Spec
from vitlab.records._base import Record, check_counts, check_least


@dataclass(frozen=True)
class CellExecution(Spec):
    """How a cell's runs are trained on one kind of host.

    `execution` are its settings, `called` is what people call it. `measured` has the seconds of a run's step by such
    names, `unmeasured` why some executions could not be measured. A cell's costs are `alone`, the seconds of a step of
    one run that has the host to itself, and `image`, those of one image forward. `expected` are the seconds of a run's
    step by FLOPs where none was measured.
    """

    execution: Mapping[str, Any]
    called: str
    measured: Mapping[str, float]
    alone: float | None
    image: float | None
    steps_per_epoch: float | None
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    seeds: int = 0
    expected: float | None = None

    def __post_init__(self) -> None:
        check_least(self, 0, "alone", "image", "steps_per_epoch", "steps", "seeds", "expected")
        check_counts("measured", self.measured)


@dataclass(frozen=True)
class HostExecution(Spec):
    """One kind of host, and how it trains each cell, by the cell's folder."""

    host: Mapping[str, Any]
    cells: Mapping[str, CellExecution] = field(default_factory=dict)


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
        known = self.on(kind)
        return replace(self, hosts={**self.hosts, kind: HostExecution(host, {**known, **cells})})

    def comparable(self, cells: Collection[str]) -> Mapping[str, CellExecution]:
        """What was measured on one kind of host: the one that knows the most of these cells, the first of equals."""
        known = [{name: host.cells[name] for name in cells if name in host.cells} for host in self.hosts.values()]
        return max(known, key=len, default={})
