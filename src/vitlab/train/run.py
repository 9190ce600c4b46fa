"""`Run`: one of the runs in training, with what is known of it so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError
from vitlab.base.metric import Metric
from vitlab.checkpoints import native
from vitlab.preprocessing import Preprocessing
from vitlab.records._base import Status
from vitlab.records.history import read_history
from vitlab.train.run_dir.run_dir import RunDir
from vitlab.train.spec import RunSpec
from vitlab.train.step.state import TrainState


@dataclass
class Run:
    """A run: its directory, its row in the stack, its best evaluation so far, and the step at which it failed.

    `best` has the step, and what was measured there of the metric that selects.
    """

    run_dir: RunDir
    row: int
    best: dict[str, float] | None = None
    failed_at: int | None = None

    @property
    def spec(self) -> RunSpec:
        """What is trained."""
        return self.run_dir.spec

    @property
    def failed(self) -> bool:
        """Whether it can no longer be trained."""
        return self.failed_at is not None

    @property
    def selection(self) -> tuple[str, Metric]:
        """What its best weights are chosen by: the metric's name in the records, and the metric."""
        selects = self.spec.task.selects
        return f"val_{selects}", next(m for m in self.spec.task.metrics(self.spec.model) if m.name == selects)

    @property
    def best_step(self) -> float | None:
        """The step of the best evaluation, None before there is one."""
        return None if self.best is None else self.best["step"]

    @property
    def best_checkpoint(self) -> Path | None:
        """Where the best weights are kept, if they are."""
        return native.best(self.run_dir.checkpoints)

    def note_if_best(self, line: Mapping[str, Any]) -> bool:
        """Remember an evaluation that is better than all before; whether it is."""
        name, metric = self.selection
        if line.get(name) is None:
            return False
        if self.best is not None and not _is_better(metric, line[name], self.best[name]):
            return False
        self.best = {"step": line["step"], name: line[name]}
        return True

    def kept_line(self) -> Mapping[str, Any]:
        """The evaluation of the weights that are kept: the last, or the best on validation."""
        lines = read_history(self.run_dir.path)
        if self.spec.weights == "last":
            wanted = lines[-1:]
        else:
            wanted = [line for line in lines if line["step"] == self.best_step]
        if not wanted:
            raise DataError(f"{self.run_dir.path} has lost the evaluation of the weights that are kept")
        return wanted[0]

    def save(self, kind: str, state: TrainState, preprocessing: Preprocessing, progress: Mapping[str, Any]) -> None:
        """Write a checkpoint."""
        self.run_dir.save(kind, state, self.row, preprocessing, {**progress, "best": self.best})

    def finish(self, status: Status, reason: str | None, metrics: Mapping[str, Any], *, diverged: bool = False) -> None:
        """Write the result."""
        self.run_dir.finish(status, reason, metrics, diverged=diverged)


def _is_better(metric: Metric, value: float, before: float) -> bool:
    return value > before if metric.better == "higher" else value < before
