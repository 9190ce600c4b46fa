"""A study's study.json: its answers, with everything that they were computed from. How is in `vitlab.study.outcome`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from vitlab.base.metric import Better, Metric
from vitlab.base.spec import Spec
from vitlab.base.words import counted
from vitlab.records._base import Record, Status, check_metric
from vitlab.stats.decision import Decision
from vitlab.stats.describe import Description

IN_TIME = ("seconds_per_image", "seconds_per_step")
DOUBTFUL = 1.5  # times: how far the pace of the training may be from what was timed
UNDISTURBED = 0.85  # of the time a process computes that has the machine to itself
_OF_TUNED = ("setting", "value", "failed", "at_an_edge")  # beside the metric's own name
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
    diverged: bool = False  # its loss stopped being a finite number
    learned_nothing: bool = False  # it finished, and does no better than to name the largest class always
    epochs: float | None = None  # that it was trained for, as far as it has recorded
    peeked: bool = False  # the test split was measured along the training


@dataclass(frozen=True)
class Tuned(Spec):
    """What a grid gave on the validation split: the mean of the tuning seeds by value, None while one is missing.

    `failed`: why a value has none, of those whose runs have failed; `at_an_edge`: the best is the first or last value
    of a grid of numbers, so that a better one may lie beyond.
    """

    setting: str
    value: str | None  # the best
    metric: str  # by which it is the best
    scores: Mapping[str, float | None]
    failed: Mapping[str, str] = field(default_factory=dict)
    at_an_edge: bool = False


@dataclass(frozen=True)
class CostRatio(Spec):
    """How many times the first cell's cost a cell's is: the mean over rounds, and its 95 % interval. `trained` is the
    same by the time that the trainings took, where both were trained in the same way.
    """

    value: float
    low: float
    high: float
    trained: float | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether the training's own pace says something else."""
        return self.trained is not None and not 1 / DOUBTFUL < self.trained / self.value < DOUBTFUL


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
    ratios: Mapping[str, CostRatio]  # of the costs in time, where they were measured
    tuned: Tuned | None
    runs: tuple[RunOutcome, ...]
    images: int | None  # in the split that the metric is of; None before the first run
    score: Description

    @property
    def lost(self) -> str:
        """'2 of 6 runs diverged', '1 of 6 runs did no better than naming the largest class'; empty if none did."""
        told = {"diverged": "diverged", "learned_nothing": "did no better than naming the largest class"}
        counts = {said: sum(getattr(run, name) for run in self.runs) for name, said in told.items()}
        return ", ".join(
            f"{number} of {counted(len(self.runs), 'run')} {said}" for said, number in counts.items() if number
        )

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
    decision: Decision
    correlation: float | None  # of the two over seeds: what pairing relies on
    in_run_stds: float | None  # the difference, in standard deviations of both cells' runs
    seeds_needed: int | None  # to decide what leans
    reasons: Mapping[str, str] = field(default_factory=dict)  # why one of these is None


@dataclass(frozen=True)
class EffectOutcome(Spec):
    """A main effect of a factor's level, or the interaction of two: `vitlab.stats.factorial`."""

    factors: tuple[str, ...]
    levels: tuple[str, ...]
    references: tuple[str, ...]
    decision: Decision
    seeds_needed: int | None
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome(Record):
    """A study's answers. `metrics` say what each number of a run is, by the name that records have for it."""

    file: ClassVar[str] = "study.json"
    schema: ClassVar[int] = 3
    oldest: ClassVar[int] = 3

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
    effects: tuple[EffectOutcome, ...]  # of a full factorial
    fronts: Mapping[str, tuple[str, ...]]  # by cost: the cells that no other beats on score and cost together
    missing: tuple[str, ...]
    metrics: Mapping[str, Metric]
    no_pictures: str  # why intervals are over seeds alone; empty if they are over pictures, too
    verdicts: bool
    worth: float | None
    paired: bool
    looks: tuple[int, ...]  # with how many seeds the results had been seen before
    paired_for: float | None  # the correlation over seeds, seen before, for which it is paired
    busy: float | None  # the least share of the time in which the process that timed costs was computing

    def __post_init__(self) -> None:
        check_metric(self.metric, self.metrics)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Of all claims, which are corrected together."""
        return (*(each.decision for each in self.comparisons), *(each.decision for each in self.effects))

    @property
    def seeds_to_decide(self) -> int | None:
        """How many would decide all that leans and can be decided, if anything does."""
        needed = (*(each.seeds_needed for each in self.comparisons), *(each.seeds_needed for each in self.effects))
        return max(filter(None, needed), default=None)

    @property
    def was_loaded(self) -> bool:
        """Whether the machine had other work while costs were timed, so that they rank nothing."""
        return self.busy is not None and self.busy < UNDISTURBED

    @property
    def epochs(self) -> tuple[float, float] | None:
        """The fewest and the most that a run was trained for; of a smaller training set they are more."""
        known = [run.epochs for cell in self.cells for run in cell.runs if run.epochs is not None]
        return (min(known), max(known)) if known else None

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
                cell["tuned"] = {name: tuned[name] for name in _OF_TUNED} | {tuned["metric"]: tuned["scores"]}
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
    known = {name: tuned[name] for name in _OF_TUNED if name in tuned}
    for metric in tuned.keys() - known.keys():
        known |= {"metric": metric, "scores": tuned[metric]}
    return {**cell, "tuned": known}
