"""The rate is multiplied by a factor at each milestone."""

from dataclasses import dataclass

from vitlab.optim.schedule._base import ScheduleSpec


@dataclass(frozen=True)
class Spec(ScheduleSpec):
    """`milestones`: epochs, counted from 0, from which on one more factor applies; `factor`: what is multiplied."""

    milestones: tuple[float, ...] = ()
    factor: float = 0.1

    def shape(self, progress: float, epoch: float) -> float:
        return self.factor ** sum(epoch >= milestone for milestone in self.milestones)
