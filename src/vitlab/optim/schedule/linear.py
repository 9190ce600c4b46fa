"""A straight line from the base rate to the minimum."""

from dataclasses import dataclass

from vitlab.optim.schedule._base import ScheduleSpec


@dataclass(frozen=True)
class Spec(ScheduleSpec):
    """No settings of its own."""

    def shape(self, progress: float, epoch: float) -> float:
        return 1 - progress
