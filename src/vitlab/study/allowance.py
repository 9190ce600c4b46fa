"""What measuring may cost: a tenth of what the study's training is forecast to take."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vitlab.study.executor._base import Measured
from vitlab.study.plan import Plan, PlannedCell

SHARE = 0.1
TOO_LONG = "measuring it would take more than a tenth of the training"


class Allowance:
    """The time for measuring. The first measurement is always made: the forecast follows from it, by FLOPs."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.spent = self.last = 0.0  # seconds
        self.rate: float | None = None  # FLOPs a second of the fastest training so far
        self.steps_per_epoch = 0.0

    def allows_another(self) -> bool:
        """Whether another measurement fits, if it takes as long as the last one."""
        return self.rate is None or self.spent + self.last <= SHARE * self.training_seconds()

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time that the block takes."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.last = time.monotonic() - started
            self.spent += self.last

    def note(self, cells: Sequence[PlannedCell], measured: Measured) -> None:
        """Take in the seconds of a step of one run, the mean over some cells."""
        flops = sum(planned.step_flops for planned in cells) / len(cells)
        self.rate = max(self.rate or 0.0, flops / measured.step)
        self.steps_per_epoch = measured.steps_per_epoch

    def step_seconds(self, planned: PlannedCell) -> float | None:
        """About what a cell's step takes that was not measured; None before anything was."""
        return None if self.rate is None else planned.step_flops / self.rate

    def training_seconds(self) -> float:
        """The forecast for all runs of the study; only where something was measured."""
        return sum(map(self._seconds, self.plan.cells))

    def _seconds(self, planned: PlannedCell) -> float:
        steps = planned.steps or planned.candidates[0].spec.total_steps(self.steps_per_epoch)
        return self.plan.runs_of(planned) * steps * (self.step_seconds(planned) or 0.0)
