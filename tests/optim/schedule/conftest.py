"""The rates that a run would use."""

from collections.abc import Callable

import pytest

from vitlab.optim.schedule._base import ScheduleSpec

BASE, STEPS, PER_EPOCH = 0.4, 40, 8.0  # five epochs


@pytest.fixture
def rates() -> Callable[[ScheduleSpec], list[float]]:
    """`rates(schedule)`: of all forty steps of five epochs with base rate .4."""
    return lambda schedule: [schedule.lr(BASE, step, STEPS, PER_EPOCH) for step in range(STEPS)]
