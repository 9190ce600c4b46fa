"""A forecast of how long a study will take, before anything of it has run: no data is read and no model is built.

Where this machine has measured a cell of the same shapes, it is by what a step took. Elsewhere it is by training FLOPs
and the rate at which this device multiplies matrices, of which a ViT's training reaches about EFFICIENCY: a tenth where
the model is tiny, a half where it is large. So such a forecast may be wrong by a factor of three.
"""

import time
from dataclasses import dataclass

import torch

from vitlab.study.allowance import Allowance
from vitlab.study.autotune import Tuner
from vitlab.study.execution import Constraints
from vitlab.study.plan import Plan

EFFICIENCY = 0.2
SIDE = 1024  # of the matrices that are multiplied
TRIAL = 0.05  # seconds of them


@dataclass(frozen=True)
class Forecast:
    """`seconds` for everything; None where the number of steps follows only from a look at the data."""

    seconds: float | None
    measured: bool  # whether all cells have been measured on this machine


def forecast(plan: Plan, constraints: Constraints) -> Forecast:
    """The time that all runs of the plan take here, tuning included."""
    if any(planned.steps is None for planned in plan.cells):
        return Forecast(None, False)
    tuner, rule = Tuner(constraints, Allowance(plan)), constraints.rule
    known = [tuner.known(planned) for planned in plan.cells]
    measured = [min(cell.measured.values()) if cell else None for cell in known]
    rate = None if all(measured) else EFFICIENCY * multiplication_rate(rule.device, rule.compute_dtype)
    seconds = 0.0
    for planned, step in zip(plan.cells, measured, strict=True):
        a_step = step if step is not None else planned.step_flops / rate  # type: ignore[operator]
        seconds += a_step * (planned.steps or 0) * plan.runs_of(planned)
    return Forecast(seconds, rate is None)


def multiplication_rate(device: str, dtype: torch.dtype) -> float:
    """FLOPs a second of a matrix product, in a few milliseconds of trial."""
    matrix = torch.ones(SIDE, SIDE, device=device, dtype=dtype)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < TRIAL:
        (matrix @ matrix)[0, 0].item()  # waits for the device
        done += 1
    return done * 2 * SIDE**3 / (time.perf_counter() - started)
