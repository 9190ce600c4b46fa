"""Half a cosine from the base rate to the minimum (SGDR, arXiv 1608.03983, equation 5, without restarts)."""

import math
from dataclasses import dataclass

from vitlab.optim.schedule._base import ScheduleSpec


@dataclass(frozen=True)
class Spec(ScheduleSpec):
    """No settings of its own."""

    def shape(self, progress: float, epoch: float) -> float:
        return (1 + math.cos(math.pi * progress)) / 2
