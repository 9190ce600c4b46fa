"""A run as its records tell it. No torch.

A record that is absent is absent with the reason; one that is damaged is a DataError. Nothing is filled in.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from vitlab.base.metric import Metric
from vitlab.base.options import OPTIONS, as_options
from vitlab.records._base import Numbers, Record
from vitlab.records.data import DataRecord
from vitlab.records.history import FILE as HISTORY
from vitlab.records.history import Histories, peeks
from vitlab.records.predictions import FILE as PREDICTIONS
from vitlab.records.predictions import Predictions, read_predictions
from vitlab.records.run import Environment, Result, RunDeclaration, read_result
from vitlab.stats.by_class import ClassRecall, by_class

R = TypeVar("R", bound=Record)

REPEAT = "repeat"  # the folder that commands write to
_CHOICES = [name for name in OPTIONS if name != "micro_batch"]  # how many images are taken at once changes no result
UNFINISHED = "unfinished"  # of a run that has no result
EXACT = "exact"  # of the order: what any step sees is known from the seed alone
SPLITS = {"test": "test", "val": "validation", "train": "training"}  # as the records say it, as the page says it


@dataclass(frozen=True)
class RunRecord:
    """A run's records. `missing` maps the name of a record that is not there to the reason."""

    declaration: RunDeclaration
    environment: Environment | None
    data: DataRecord | None
    result: Result | None
    history: list[Numbers]  # the lines of metrics.jsonl
    predictions: Predictions | None
    missing: dict[str, str]

    @property
    def spec(self) -> Mapping[str, Any]:
        """The run's settings."""
        return self.declaration.spec

    @property
    def status(self) -> str:
        """How it ended, or UNFINISHED."""
        return self.result.status if self.result else UNFINISHED

    @property
    def reason(self) -> str | None:
        """Why it did not finish."""
        return self.result.reason if self.result else "There is no result.json: it is still running, or it was killed."

    @property
    def metrics(self) -> Numbers:
        """The figures of its result; what was not measured is None or absent."""
        return self.result.metrics if self.result else {}

    @property
    def choices(self) -> Mapping[str, Any]:
        """How it was computed, as far as that is recorded."""
        return self.environment.choices if self.environment else {}

    @property
    def cited(self) -> str:
        """How it is cited; empty if its record has no id."""
        commit = self.environment.commit if self.environment else None
        return citation(f"run {self.declaration.id}", commit) if self.declaration.id else ""

    @property
    def measured(self) -> dict[str, Metric]:
        """What was measured of a split, by name without the split."""
        return {metric.name: metric for metric in self.declaration.metrics.values()}

    @property
    def selected(self) -> Metric | None:
        """The metric that selects, which is also the first that a reader asks for."""
        return self.declaration.metrics.get(self.declaration.selects)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes' names; empty if not recorded."""
        return self.data.classes if self.data else ()

    @cached_property
    def by_class(self) -> list[ClassRecall]:
        """How well each class is recalled that occurs in the predictions; empty where there are none."""
        if self.predictions is None:
            return []
        names = [self.class_name(index) for index in range(self.predictions.probabilities.shape[1])]
        return by_class(self.predictions.labels, self.predictions.predicted, names)

    @property
    def unreadable(self) -> dict[str, tuple[str, ...]]:
        """Names of the pictures that could not be read, by split, where there are some."""
        names = {split: self.data.split(split).names if self.data else () for split in SPLITS}
        return {split: why for split, why in names.items() if why}

    @property
    def peeks(self) -> bool:
        """Whether the test split was measured along the training."""
        return peeks(self.history)

    @property
    def from_no_commit(self) -> bool:
        """Whether the code had changes that no commit holds."""
        return str(self.environment.commit if self.environment else "").endswith("-dirty")

    @property
    def data_name(self) -> str | None:
        """The data set, much as `--data` names it."""
        return data_name(self.spec)

    def class_name(self, index: int) -> str:
        """The name of a class, or its number if names were not recorded."""
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"


def data_name(spec: Mapping[str, Any]) -> str | None:
    """The data set of a run's settings: `digits`, `hub:ORG/NAME`, `folder:` and the folder's name."""
    data = spec.get("data")
    if not isinstance(data, Mapping) or "name" not in data:
        return None
    place = Path(data["path"]).name if data.get("path") else data.get("repo")
    return f"{data['name']}:{place}" if place else str(data["name"])


def citation(source: str, commit: str | None) -> str:
    """How a run or a study is cited, with the commit of the code if that was recorded."""
    return f"{source}, commit {commit}" if commit else source


def command_again(run: RunRecord, spec: str) -> str:
    """What trains a run again as it was trained, from the file of its spec."""
    return shlex.join(["vitlab", "train", spec, "--out", REPEAT, *as_options(run.choices, _CHOICES)])


def read_run(folder: Path, *, with_predictions: bool = True, histories: Histories | None = None) -> RunRecord:
    """The records in a run directory. Raises DataError if one is damaged, or if there is no spec.json.

    Predictions may be left out where many runs are read: they are by far the largest. `histories`: what others have
    read already.
    """
    declaration, missing = RunDeclaration.read(folder), dict[str, str]()
    history = (histories or Histories()).read(folder, declaration.metrics)
    if not history:
        missing[HISTORY] = "no evaluation was recorded"
    predictions = read_predictions(folder) if with_predictions else None
    if not with_predictions:
        missing[PREDICTIONS] = "predictions were not read"
    elif predictions is None:
        missing[PREDICTIONS] = f"the run directory has no {PREDICTIONS}"
    return RunRecord(
        declaration=declaration,
        environment=_noted(Environment, Environment.read_if_there(folder), missing),
        data=_noted(DataRecord, DataRecord.read_if_there(folder), missing),
        result=_noted(Result, read_result(folder, declaration), missing),
        history=history,
        predictions=predictions,
        missing=missing,
    )


def _noted(record: type[R], found: R | None, missing: dict[str, str]) -> R | None:
    """What was found of a record; that there was none is noted."""
    if found is None:
        missing[record.file] = f"the run directory has no {record.file}"
    return found
