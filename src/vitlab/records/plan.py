"""A study's plan.json: what is asked for, with every cell, its runs' settings and its costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from vitlab.base.metric import Metric
from vitlab.base.spec import Spec
from vitlab.records._base import Record, check_metric


@dataclass(frozen=True)
class CandidateRecord(Spec):
    """A cell's run, but for its seed; where a value is tuned there is one for each value of the grid."""

    name: str  # empty where nothing is tuned
    folder: str  # in the cell's; empty where nothing is tuned
    spec: Mapping[str, Any]


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
    candidates: tuple[CandidateRecord, ...]


@dataclass(frozen=True)
class PlanRecord(Record):
    """A study, as everything that reads it without torch needs it.

    `metric` is what cells are compared by, `selects` what tuning and the best weights are chosen by; `metrics` say of
    both, and of all others that runs measure, what they are. `study` are the settings of the whole.
    """

    file: ClassVar[str] = "plan.json"
    schema: ClassVar[int] = 2
    oldest: ClassVar[int] = 2

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

    def __post_init__(self) -> None:
        check_metric(self.metric, self.metrics)

    @property
    def measured(self) -> Metric:
        """What the study's metric is."""
        return self.metrics[self.metric]
