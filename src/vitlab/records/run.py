"""A run's records: what was asked for, what it ran on, its pictures, and how it ended.

spec.json            what was asked for, and the metrics that it measures
env.json             machine, versions, commit, command, and what was chosen for it
preprocessing.json   what a picture goes through (`vitlab.preprocessing`); every checkpoint has it, too
data.json            what a look at the data found, and how the run uses it: `vitlab.records.data`
metrics.jsonl        one line an evaluation
result.json          how it ended, and its figures
predictions.npz      what it said of the test images
pictures.npz         what each of them scored, by metric; pictures_val.npz: each image that it was validated with
checkpoint/          safetensors and JSON, see `vitlab.checkpoints.native`
tensorboard/         where it was asked for, the lines of metrics.jsonl as events: a view, no record
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from vitlab.base.differences import told_differences, without
from vitlab.base.errors import SpecError
from vitlab.base.identity import id_of
from vitlab.base.metric import Metric
from vitlab.base.options import check_choices
from vitlab.base.words import shown
from vitlab.records._base import (
    Numbers,
    Record,
    Status,
    check_facts,
    check_least,
    check_numbers,
    check_ranges,
    check_time,
    damaged,
)

_USUAL_WHEREABOUTS = ("data.path", "start.path")  # of runs that do not say which they have


def run_at(path: Path) -> Path | None:
    """The run that a user's path leads to: its folder, or a checkpoint folder inside one; None for anything else."""
    return next((folder for folder in (path, path.parent.parent) if RunDeclaration.exists(folder)), None)


@dataclass(frozen=True)
class RunDeclaration(Record):
    """What was asked for: the last of the records that a new run writes, and what makes its folder a run.

    `id` names the resolved spec; `metrics` are what evaluations measure, by the names that records have for them;
    `selects` is the metric, of the validation split, by which the best weights are chosen; `drawn` are the tensors
    that began as drawn although the run starts from trained weights.
    """

    file: ClassVar[str] = "spec.json"
    schema: ClassVar[int] = 2
    oldest: ClassVar[int] = 2

    recipe: str
    id: str
    spec: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    selects: str
    drawn: tuple[str, ...] = ()
    whereabouts: tuple[str, ...] | None = None  # settings that say where something lies, not what it is

    def __post_init__(self) -> None:
        if self.whereabouts is not None and self.id != id_of(without(self.spec, self.whereabouts)):
            raise SpecError(f"id={shown(self.id)}: is not that of its spec, which was changed")

    def unlike(self, spec: Mapping[str, Any]) -> str:
        """In what this run differs from the one that a spec asks for, wherever its data lie; empty if in nothing."""
        where = {*_USUAL_WHEREABOUTS, *(self.whereabouts or ())}
        if not isinstance(start := spec.get("start"), Mapping) or start.get("checksum") is None:
            where.add("start.checksum")  # which is known once the run has begun
        return told_differences(*(without(values, where) for values in (spec, self.spec)))

    def told(self, figures: Mapping[str, Any]) -> str:
        """What was measured of the metric that selects, on the test split or else on validation; empty if nothing."""
        name = self.selects.partition("_")[2]
        metric = self.metrics.get(f"test_{name}", self.metrics.get(f"val_{name}"))
        split = self.scored_on(figures)
        return f"{split} {metric.title} {metric.written(figures[f'{split}_{name}'])}" if metric and split else ""

    def scored_on(self, figures: Mapping[str, Any]) -> str | None:
        """The split of that score."""
        name = self.selects.partition("_")[2]
        return next((split for split in ("test", "val") if figures.get(f"{split}_{name}") is not None), None)


@dataclass(frozen=True)
class Environment(Record):
    """What a run ran on. `choices` are how it is computed; `stacked_runs`: how many were trained in one stack."""

    file: ClassVar[str] = "env.json"

    hardware: Mapping[str, Any] = field(default_factory=dict)
    accelerator: Mapping[str, Any] | None = None
    os: str | None = None
    python: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    command: str | None = None
    started: str | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    stacked_runs: int = 1

    def __post_init__(self) -> None:
        check_least(self, 1, "stacked_runs")
        check_choices(self.choices)
        if self.started is not None:
            check_time("started", self.started)
        for name in ("hardware", "accelerator"):
            check_facts(name, getattr(self, name) or {})


@dataclass(frozen=True)
class Result(Record):
    """How a run ended, why if it did not finish, and its figures."""

    file: ClassVar[str] = "result.json"

    status: Status
    reason: str | None = None
    metrics: Numbers = field(default_factory=dict)
    run: str = ""  # the id of the run that ended so; empty where that is not known
    diverged: bool = False  # it failed because a loss or a weight stopped being a finite number

    def __post_init__(self) -> None:
        check_numbers("metrics", self.metrics)


def read_result(folder: Path, declaration: RunDeclaration) -> Result | None:
    """The result of a declared run, or None before its end. Raises DataError, also if a figure cannot be that large."""
    result = Result.read_if_there(folder)
    if result is not None:
        with damaged(folder / Result.file):
            check_ranges("metrics", result.metrics, declaration.metrics)
            if result.run not in ("", declaration.id):
                raise SpecError(f"run={shown(result.run)}: it is of another run")
    return result
