"""Autotuning of a study: every execution that a cell may have takes a few steps, and the fastest is recorded.

That costs a tenth of the training at most (`vitlab.study.allowance`). A cell for which no time is left is trained as
the one before it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rich.console import Console

from vitlab.base.errors import SpecError, UserError
from vitlab.base.going_on import Say, going_on, unsaid
from vitlab.base.spec import from_dict, to_dict
from vitlab.records.execution import CellExecution
from vitlab.study.alike import Family, settled
from vitlab.study.allowance import TOO_LONG, Allowance
from vitlab.study.execution import Constraints, Execution, read_execution
from vitlab.study.executor._base import Executor, Job, Measured
from vitlab.study.plan import Plan, PlannedCell
from vitlab.study.study_dir import StudyDir
from vitlab.train.machine.cache import keep_answer, read_answer

SECONDS = 0.4  # of steps in one measurement


class Tuner:
    """What chooses how the cells of a study are trained on a kind of host, by default this machine's.

    `executor` None: nothing can be measured. `say` is told what is measured.
    """

    def __init__(
        self,
        constraints: Constraints,
        allowance: Allowance,
        executor: Executor | None = None,
        host: Mapping[str, Any] | None = None,
        say: Say = unsaid,
    ):
        self.constraints, self.allowance, self.say = constraints, allowance, say
        self.executor, self.host = executor, host
        self.found: dict[str, CellExecution] = {}  # by the question
        self.taken: Execution | None = None  # by the cell that was measured last

    # ------------------------------------------------------------------------------------------------ a cell by itself

    def by_itself(self, planned: PlannedCell) -> CellExecution:
        """How a cell is trained, as if there were no other."""
        chosen = self.known(planned)
        if chosen is None:
            chosen = self._found_now(planned) if self.executor else self._unmeasured()
        per_epoch = chosen.steps_per_epoch
        steps = planned.steps if per_epoch is None else planned.candidates[0].spec.total_steps(per_epoch)
        return replace(chosen, steps=steps, seeds=len(self.constraints.seeds))

    def known(self, planned: PlannedCell) -> CellExecution | None:
        """What was measured earlier on this kind of host, if the execution chosen then may be chosen now."""
        return self._legal(read_answer(self._question(planned), self.host))

    def _legal(self, values: Mapping[str, Any] | None) -> CellExecution | None:
        """An answer that was kept, as long as it may be chosen."""
        try:
            chosen = from_dict(CellExecution, values) if values else None
        except SpecError:  # of another vitlab
            return None
        return chosen if chosen and read_execution(chosen.execution) in self.constraints.executions() else None

    def _found_now(self, planned: PlannedCell) -> CellExecution:
        """What is measured, once for all cells of a study whose steps do the same work."""
        question = self._question(planned)
        key = json.dumps(question, sort_keys=True)
        if key not in self.found:
            known = read_answer(question, self.host)  # which may not be chosen, or we would not measure
            found = self._measure(planned)
            if not found.unmeasured:  # what had no place today, or no time, may have it tomorrow
                found = self._legal(keep_answer(question, to_dict(found), self.host, known)) or found
            self.found[key] = found
        return self.found[key]

    def _question(self, planned: PlannedCell) -> list[Any]:
        return self.constraints.question([planned], self.constraints.executions())

    def _unmeasured(self) -> CellExecution:
        first = self.constraints.executions()[0]
        return CellExecution(to_dict(first), str(first), {}, None)

    def _measure(self, planned: PlannedCell) -> CellExecution:
        """The seconds that one step of one run takes in each way."""
        executions = self.constraints.executions()
        trial = self._try([planned], executions)
        steps = {execution: measured.step for execution, measured in trial.measured.items()}
        any_way = next(iter(trial.measured.values()), None)
        if any(execution in steps for execution in executions):
            self.taken = min(executions, key=lambda execution: steps.get(execution, math.inf))
        taken = self.taken or executions[0]
        return CellExecution(
            execution=to_dict(taken),
            called=str(taken),  # for those who read it without torch
            measured={str(execution): steps[execution] for execution in executions if execution in steps},
            steps_per_epoch=any_way and any_way.steps_per_epoch,
            unmeasured=trial.unmeasured,
            expected=None if taken in steps else self.allowance.step_seconds(planned),
        )

    # ------------------------------------------------------------------------------------------------- cells together

    def family(self, cells: Sequence[PlannedCell]) -> Family:
        """Cells of one structure, each measured by itself, and all in one stack."""
        executions = self.constraints.together(len(cells))
        alone = self.constraints.executions()
        chosen = [self.by_itself(planned) for planned in cells]
        together = self._together(cells, executions) if executions and self.executor else {}
        measured = [replace(cell, measured={**cell.measured, **together}) for cell in chosen]
        return Family(measured, alone, executions, self.constraints.stack is True)

    def _together(self, cells: Sequence[PlannedCell], executions: Sequence[Execution]) -> Mapping[str, float]:
        """The seconds of a run's step in one stack of all, by execution; remembered like others."""
        question = self.constraints.question(cells, executions)
        measured = _seconds(read_answer(question, self.host))
        if measured is None:
            trial = self._try(cells, executions)
            measured = {str(execution): figures.step for execution, figures in trial.measured.items()}
            if not trial.unmeasured:
                measured = _seconds(keep_answer(question, measured, self.host)) or measured
        return measured

    # ------------------------------------------------------------------------------------------------------- measuring

    def _try(self, cells: Sequence[PlannedCell], executions: Sequence[Execution]) -> "_Trial":
        measured, unmeasured = {}, {}
        for execution in executions:
            if not self.allowance.allows_another():
                unmeasured[str(execution)] = TOO_LONG
                continue
            self.say(f"measuring {cells[0].cell.name}: {execution}")
            try:
                with self.allowance.spending():
                    measured[execution] = self._throughput(cells, execution)
                self.allowance.note(cells, measured[execution])
            except UserError as error:  # a stack may need more memory than there is, and a cell may be impossible
                unmeasured[str(execution)] = str(error)
        return _Trial(measured, unmeasured)

    def _throughput(self, cells: Sequence[PlannedCell], execution: Execution) -> Measured:
        """How fast one run is trained in this way, all runs counted that are trained meanwhile."""
        assert self.executor is not None
        seeds = self.constraints.seeds[:1] if execution.stack == "none" else self.constraints.seeds
        specs = [replace(planned.candidates[0].spec, seed=seed) for planned in cells for seed in seeds]
        runs = tuple({"spec": to_dict(spec), "folder": "", "recipe": ""} for spec in specs)
        job = Job("trial", runs, self.constraints.overrides_for(execution, specs[0], len(specs)), execution.jobs)
        measured = self.executor.measure([job] * execution.jobs, SECONDS)
        return measured._replace(step=measured.step / len(specs) / execution.jobs)


class _Trial(NamedTuple):
    """What a few steps have shown, and why some could not be taken."""

    measured: dict[Execution, Measured]  # the seconds of a step are one run's
    unmeasured: dict[str, str]


def choose_executions(
    plan: Plan,
    study_dir: StudyDir,
    constraints: Constraints,
    executor: Executor,
    measures: bool,
    console: Console,
) -> None:
    """Record for every cell how it is trained on this kind of host, where nothing is recorded yet that may be used."""
    host = executor.host()
    known = study_dir.executions(host)
    with going_on(console) as say:
        tuner = Tuner(constraints, Allowance(plan), executor if measures else None, host, say)
        fresh, before = [], []
        for family in plan.families():
            usable = [_usable(known.get(cell.folder), constraints, len(family)) for cell in family]
            before += list(filter(None, usable))
            fresh += [[cell for cell, execution in zip(family, usable, strict=True) if execution is None]]
        measured = [tuner.family(cells) for cells in fresh if cells]
    # All at once: what is alike in all cells is chosen for all of them
    chosen = settled(measured, before) if measured else []
    named = list(zip((cell for cells in fresh for cell in cells), chosen, strict=True))
    study_dir.note_executions(host, {cell.folder: execution for cell, execution in named})
    for cell, execution in named:
        console.print(f"{cell.cell.name}: {_told(execution)}", highlight=False)


def _seconds(answer: Mapping[str, Any] | None) -> dict[str, float] | None:
    """Seconds by execution that were kept, if that is what they are."""
    numbers = answer and all(isinstance(value, int | float) and value > 0 for value in answer.values())
    return dict(answer) if answer and numbers else None


def _usable(recorded: CellExecution | None, constraints: Constraints, like: int) -> Execution | None:
    """How a cell is trained as is recorded, if it may be."""
    execution = read_execution(recorded.execution) if recorded else None
    return execution if execution and constraints.allow(execution, like) else None


def expected_seconds(cell: CellExecution) -> float:
    """What a run will take of the machine, the others beside it not counted; 0 where nothing could be measured."""
    step = cell.measured.get(cell.called, cell.expected)
    return 0.0 if step is None or cell.steps is None else step * cell.steps


def _told(cell: CellExecution) -> str:
    """The execution chosen, and what was measured of the others, the fastest first."""
    steps: Mapping[str, float] = cell.measured
    if cell.called not in steps:
        why = f": {TOO_LONG}" if TOO_LONG in cell.unmeasured.values() else ""
        return f"{cell.called}; its steps were not measured{why}"
    others = sorted(steps.keys() - {cell.called}, key=steps.__getitem__)
    slower = ", ".join(f"{other} {1e3 * steps[other]:.1f}" for other in others)
    return f"{cell.called}, {1e3 * steps[cell.called]:.1f} ms / step of a run" + (f" ({slower})" if slower else "")
