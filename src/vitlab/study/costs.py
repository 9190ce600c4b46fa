"""What cells cost in time, measured after the training: all of them in turn, round by round, by one process that has
the machine to itself as far as it knows.

A machine changes its pace from minute to minute, so a cell is compared with the first within each round. How much of
the time the process was computing (its CPU time over the wall's, a thread) shows whether other work ran meanwhile.
"""

from rich.console import Console

from vitlab.base.errors import UserError
from vitlab.base.going_on import going_on
from vitlab.base.spec import to_dict
from vitlab.records.execution import CellCosts
from vitlab.study import allowance
from vitlab.study.autotune import expected_seconds
from vitlab.study.execution import Constraints, Execution
from vitlab.study.executor._base import Executor, Job
from vitlab.study.plan import Plan
from vitlab.study.study_dir import StudyDir
from vitlab.train.spec import RunSpec

ROUNDS, FEWEST = 5, 3
SECONDS = 0.2  # of steps, in one measurement
_BUILDING = 1.0  # seconds: about what it takes to get one cell ready


def measure_costs(
    plan: Plan, study_dir: StudyDir, constraints: Constraints, executor: Executor, console: Console
) -> None:
    """Time every cell of the study, unless that has been done on this kind of host or would take too long."""
    host = executor.host()
    executions = study_dir.executions(host)
    if study_dir.costs(host) or not executions:
        return
    training = sum(expected_seconds(cell) * cell.seeds for cell in executions.values())
    rounds = _rounds(len(plan.cells), allowance.SHARE * training)
    if rounds < FEWEST:
        console.print("the cells' costs in time are not measured: that would take more than a tenth of the training")
        return
    kernel = next(iter(executions.values())).execution.get("kernel")
    alone = Execution("none", 1, kernel)
    jobs = [_job(planned.candidates[0].spec, constraints, alone) for planned in plan.cells]
    try:
        with going_on(console, f"timing {len(jobs)} cells in turn"):
            timed = executor.time_in_turn(jobs, rounds, SECONDS)
    except UserError as error:  # all cells at once may need more memory than there is
        console.print(f"the cells' costs in time are not measured: {error}", highlight=False)
        return
    costs = (CellCosts(*zip(*rounds, strict=True)) for rounds in timed)
    study_dir.note_costs(host, {planned.folder: each for planned, each in zip(plan.cells, costs, strict=True)})


def _rounds(cells: int, budget: float) -> int:
    """How many fit into the time."""
    return int(min(ROUNDS, (budget - cells * _BUILDING) / (cells * 1.25 * SECONDS)))


def _job(spec: RunSpec, constraints: Constraints, execution: Execution) -> Job:
    runs = ({"spec": to_dict(spec), "folder": "", "recipe": ""},)
    return Job("timing", runs, constraints.overrides_for(execution, spec, 1))
