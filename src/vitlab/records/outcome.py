"""A study's study.json: its answers, with everything that they were computed from. How is in `vitlab.study.outcome`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from vitlab.base.metric import Better, Metric
from vitlab.base.spec import Spec
from vitlab.records._base import Record, Status, check_metric
from vitlab.stats.decision import Comparison
from vitlab.stats.describe import Description
from vitlab.stats.factorial import Factorial
from vitlab.stats.power import Sensitivity
from vitlab.stats.sampling import AccuracyErrors

# What a score is weighed against
COSTS = ("num_params", "flops", "seconds_per_image", "seconds_per_step", "activation_bytes")


@dataclass(frozen=True)
class RunOutcome(Spec):
    """One training of a cell."""

    seed: int
    folder: str  # in the study's; empty before it has begun
    status: Status | None  # None: not begun, or in training
    reason: str | None
    metrics: Mapping[str, Any]


@dataclass(frozen=True)
class Tuned(Spec):
    """What a grid gave on the validation split: the mean of the tuning seeds by value, None while one is missing."""

    setting: str
    value: str | None  # the best
    metric: str  # by which it is the best
    scores: Mapping[str, float | None]


@dataclass(frozen=True)
class CellOutcome(Spec):
    """A cell: what it is, what it costs, and how its seeds scored."""

    name: str
    says: str
    levels: Mapping[str, str]
    settings: Mapping[str, Any]
    against: str | None
    spec: Mapping[str, Any]  # of its runs, but for the seed; of the tuned value where there is one
    costs: Mapping[str, float | None]  # by the names in COSTS
    tuned: Tuned | None
    runs: tuple[RunOutcome, ...]
    images: int | None  # in the split that the metric is of; None before the first run
    score: Description
    errors: AccuracyErrors | None  # of an accuracy: the seeds' error beside the test set's

    def scores(self, metric: str) -> dict[int, float]:
        """A metric by seed, of the runs that have finished."""
        scores = {run.seed: run.metrics.get(metric) for run in self.runs if run.status == "finished"}
        return {seed: score for seed, score in scores.items() if score is not None}


@dataclass(frozen=True)
class ComparisonOutcome(Spec):
    """A cell against the one it is compared with."""

    cell: str
    against: str
    says: str
    comparison: Comparison
    sensitivity: Sensitivity
    test_set_error: float | None  # of the difference, image by image; None where predictions are missing


@dataclass(frozen=True)
class Outcome(Record):
    """A study's answers. `metrics` say what each number of a run is, by the name that records have for it."""

    file: ClassVar[str] = "study.json"
    schema: ClassVar[int] = 2
    oldest: ClassVar[int] = 2

    id: str
    question: str
    design: str
    metric: str
    better: Better
    equal: str
    seeds: tuple[int, ...]
    images: int | None  # in the split that the metric is of; None if cells differ in it, or before the first run
    cells: tuple[CellOutcome, ...]
    comparisons: tuple[ComparisonOutcome, ...]
    effects: Factorial | None
    no_effects: str | None  # why a factorial has none
    fronts: Mapping[str, tuple[str, ...]]  # by cost: the cells that no other beats on score and cost together
    missing: tuple[str, ...]
    metrics: Mapping[str, Metric]

    def __post_init__(self) -> None:
        check_metric(self.metric, self.metrics)

    @property
    def complete(self) -> bool:
        """Whether every run has finished."""
        return not self.missing

    def cell(self, name: str) -> CellOutcome:
        """A cell by its name."""
        return next(cell for cell in self.cells if cell.name == name)

    def values(self) -> dict[str, Any]:
        """As JSON has it: what tuning saw stands under the metric's own name."""
        values = asdict(self)
        for cell in values["cells"]:
            if (tuned := cell["tuned"]) is not None:
                cell["tuned"] = {"setting": tuned["setting"], "value": tuned["value"], tuned["metric"]: tuned["scores"]}
        return values

    @classmethod
    def read_values(cls, values: Mapping[str, Any], path: Path) -> Self:
        """The answers of values that were read from `path`."""
        cells = values.get("cells")
        named = {"cells": list(map(_with_named_metric, cells))} if isinstance(cells, list) else {}
        return super().read_values({**values, **named}, path)


def _with_named_metric(cell: Any) -> Any:
    """A cell's values, what its tuning saw as the settings of a `Tuned`."""
    if not isinstance(cell, Mapping) or not isinstance(tuned := cell.get("tuned"), Mapping):
        return cell
    known = {name: tuned[name] for name in ("setting", "value") if name in tuned}
    for metric in tuned.keys() - known.keys():
        known |= {"metric": metric, "scores": tuned[metric]}
    return {**cell, "tuned": known}
