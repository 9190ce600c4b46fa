"""A study's plan.json: what is asked for, with every cell, its runs' settings and its costs."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from vitlab.base.differences import without
from vitlab.base.errors import SpecError
from vitlab.base.identity import id_of
from vitlab.base.metric import Metric
from vitlab.base.spec import Spec
from vitlab.base.words import shown, some
from vitlab.records._base import Record, check_least, check_metric

# Settings of a study that may change while it stays the same, as its id has them
FREE: Mapping[str, Any] = {"num_seeds": 1, "tune_seeds": 1, "baseline_seeds": None, "verdicts": True}
_FOLDER = re.compile(r"[A-Za-z0-9._=+-]{1,255}")


@dataclass(frozen=True)
class CandidateRecord(Spec):
    """A cell's run, but for its seed; where a value is tuned there is one for each value of the grid."""

    name: str  # empty where nothing is tuned
    folder: str  # in the cell's; empty where nothing is tuned
    spec: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.folder:
            _check_folder(self.folder)


@dataclass(frozen=True)
class CellRecord(Spec):
    """A cell of a study: what it is, what it is compared with, and what was counted of it."""

    name: str
    folder: str
    levels: Mapping[str, str]
    settings: Mapping[str, Any]
    against: str | None
    says: str
    num_params: int
    flops: int
    step_flops: int
    activation_bytes: int
    seeds: tuple[int, ...]
    candidates: tuple[CandidateRecord, ...]

    def __post_init__(self) -> None:
        _check_folder(self.folder)
        check_least(self, 0, "num_params", "flops", "step_flops", "activation_bytes")
        _check_seeds(self.seeds)
        if not self.candidates:
            raise SpecError("candidates=[]: a cell has one at least")
        _check_unlike("candidates", "folder", [candidate.folder for candidate in self.candidates])


@dataclass(frozen=True)
class PlanRecord(Record):
    """A study, as everything that reads it without torch needs it.

    `metric` is what cells are compared by, `selects` what tuning and the best weights are chosen by; `metrics` say of
    both, and of all others that runs measure, what they are. `study` are the settings of the whole. `seeds` are those
    that all cells have; `looks` with how many of them the results had been seen before there were as many as now.
    """

    file: ClassVar[str] = "plan.json"
    schema: ClassVar[int] = 3
    oldest: ClassVar[int] = 3

    id: str
    question: str
    design: str
    metric: str
    equal: str
    seeds: tuple[int, ...]
    tune: str | None
    tune_seeds: int
    crossed: Mapping[str, Any]  # the levels of each factor of a full factorial
    cells: tuple[CellRecord, ...]
    study: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    selects: str
    whereabouts: tuple[str, ...] | None = None  # settings of the study that say where something lies
    verdicts: bool = True
    worth: float | None = None
    paired: bool = False
    looks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.whereabouts is not None:
            self._check_study(self.whereabouts)
        for name in (self.metric, *([self.selects] if self.tune is not None else [])):
            check_metric(name, self.metrics)
        names = [cell.name for cell in self.cells]
        _check_unlike("cells", "name", names)
        _check_unlike("cells", "folder", [cell.folder for cell in self.cells])
        _check_seeds(self.seeds)
        if not 1 <= self.tune_seeds <= len(self.seeds):
            raise SpecError(f"tune_seeds={self.tune_seeds}: there are {len(self.seeds)} seeds")
        for cell in self.cells:
            if cell.seeds[: len(self.seeds)] != self.seeds:
                raise SpecError(f"cells: {shown(cell.name)} lacks seeds that all have")
            if cell.against is not None and cell.against not in names:
                raise SpecError(f"cells: {shown(cell.name)} is compared with {shown(cell.against)}, which is no cell")
            if missing := self.crossed.keys() - cell.levels.keys():
                raise SpecError(f"cells: {shown(cell.name)} has no level of {some(sorted(missing))}")

    def _check_study(self, whereabouts: Sequence[str]) -> None:
        """Refuse a plan that is not of the study whose settings it has."""
        if self.id != id_of(without({**self.study, **FREE}, whereabouts)):
            raise SpecError(f"id={shown(self.id)}: is not that of its study, which was changed")
        ours_too = ("question", "tune_seeds", "verdicts", "worth", "paired")
        plan = {"num_seeds": len(self.seeds)} | {name: getattr(self, name) for name in ours_too}
        for name, ours in plan.items():
            if self.study.get(name) != ours:
                raise SpecError(f"study.{name}={shown(self.study.get(name))}: the plan has {shown(ours)}")

    @property
    def paired_for(self) -> float | None:
        """The correlation over seeds, seen before, for which it is paired."""
        known = self.study.get("paired_for")
        return known if isinstance(known, float | int) else None

    @property
    def measured(self) -> Metric:
        """What the study's metric is."""
        return self.metrics[self.metric]


def _check_seeds(seeds: Sequence[int]) -> None:
    """Refuse what are no seeds. Raises SpecError."""
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise SpecError(f"seeds={shown(list(seeds))}: expected one or more, each of them once, from 0")


def _check_folder(name: str) -> None:
    """Refuse what is not the name of one folder inside another. Raises SpecError."""
    if not _FOLDER.fullmatch(name) or name.strip(".") == "":
        raise SpecError(f"folder={shown(name)}: not the name of a folder inside the study")


def _check_unlike(what: str, key: str, values: Sequence[str]) -> None:
    """Refuse two of the same name. Raises SpecError."""
    if twice := [value for value, times in Counter(values).items() if times > 1]:
        raise SpecError(f"{what}: two of them have the {key} {shown(twice[0])}")
