"""The jobs of a study: the runs that are missing, as what one process trains at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.spec import to_dict
from vitlab.checkpoints import native
from vitlab.records._base import ENDED, Status
from vitlab.records.data import DataRecord
from vitlab.records.execution import CellExecution
from vitlab.records.run import RunDeclaration
from vitlab.study.autotune import expected_seconds
from vitlab.study.execution import Constraints, Execution, read_execution
from vitlab.study.executor._base import Executor, Job
from vitlab.study.plan import Candidate, Plan, PlannedCell
from vitlab.study.study_dir import StudyDir, StudyRun
from vitlab.train.run_dir.run_dir import RunDir
from vitlab.train.spec import RunSpec
from vitlab.train.stacking import structure


class MissingRun(NamedTuple):
    """A run that is to be trained."""

    cell: str
    value: str  # of the tuning grid; empty where nothing is tuned
    spec: RunSpec
    place: Path
    execution: Execution
    failed: bool  # before
    seconds: float  # it will take about so long of the machine, the others beside it not counted

    def stackable_with(self) -> tuple[Any, ...]:
        """What it has in common with the runs that it is stacked with."""
        if self.execution.stack == "none":
            return (self.place,)
        # Those that failed have a stack of their own, since training leaves them out of others; and those that have
        # begun, since a stack goes on from where all its runs are
        common = (self.execution, structure(self.spec), self.failed, RunDeclaration.exists(self.place))
        return common if self.execution.stack == "cells" else (self.cell, *common)

    def in_study(self) -> StudyRun:
        """As the study's directory knows it."""
        return StudyRun(self.place, to_dict(self.spec))

    def checkpoints(self) -> set[str]:
        """Where it can go on from."""
        return {path.name for path in native.complete(RunDir(self.place, self.spec).checkpoints)}


@dataclass(frozen=True)
class PlannedJob:
    """A job, and the runs of the study that it is made of."""

    job: Job
    runs: tuple[MissingRun, ...]


Wanted = tuple[PlannedCell, Candidate, Sequence[int]]  # seeds of a cell, with one value of the grid


class Jobs:
    """The jobs of a study, by its plan and by what stands in its folder.

    `retry`: what failed is missing, too.
    """

    def __init__(self, plan: Plan, study_dir: StudyDir, constraints: Constraints, retry: bool):
        self.plan, self.study_dir, self.constraints, self.retry = plan, study_dir, constraints, retry
        self.record = study_dir.plan()

    def any(self) -> bool:
        """Whether there is anything to train."""
        wanted = [*self._tuning(), *self._seeds()]
        return any(True for cell in wanted for _ in self._unfinished(*cell))

    def tuning(self, executor: Executor) -> list[PlannedJob]:
        """What finds every cell's value of the grid."""
        return self._jobs(self._tuning(), executor)

    def seeds(self, executor: Executor) -> list[PlannedJob]:
        """All seeds of every cell, at the value that tuning chose."""
        return self._jobs(self._seeds(), executor)

    def unrecorded(self, planned: PlannedJob) -> list[MissingRun]:
        """Those runs of a job that have no record of how they ended."""
        return [run for run in planned.runs if self.study_dir.status(run.in_study())[0] not in ENDED]

    def apart(self, runs: Iterable[MissingRun]) -> list[PlannedJob]:
        """Runs of a stack, each in a process of its own."""
        alone = (run._replace(execution=replace(run.execution, stack="none")) for run in runs)
        return [self._job([run]) for run in alone]

    def _tuning(self) -> Iterator[Wanted]:
        if self.plan.study.tune is not None:
            for planned in self.plan.cells:
                for candidate in planned.candidates:
                    yield planned, candidate, self.plan.study.seeds[: self.plan.study.tune_seeds]

    def _seeds(self) -> Iterator[Wanted]:
        for planned, cell in zip(self.plan.cells, self.record.cells, strict=True):
            winner = self.study_dir.chosen(self.record, cell)
            if winner is not None:
                candidate = next(value for value in planned.candidates if value.name == winner.name)
                yield planned, candidate, planned.seeds

    def _jobs(self, wanted: Iterator[Wanted], executor: Executor) -> list[PlannedJob]:
        executions = self.study_dir.executions(executor.host())
        missing = (run for cell in wanted for run in self._missing(*cell, executions[cell[0].folder]))
        return [self._job(runs) for runs in _stacks(missing)]

    def _missing(
        self, planned: PlannedCell, candidate: Candidate, seeds: Sequence[int], recorded: CellExecution
    ) -> Iterator[MissingRun]:
        execution, expected = read_execution(recorded.execution), expected_seconds(recorded)
        assert execution is not None  # what could not be read was chosen anew
        for seed, status in self._unfinished(planned, candidate, seeds):
            spec, place = replace(candidate.spec, seed=seed), self._place(planned, candidate, seed)
            yield MissingRun(planned.cell.name, candidate.name, spec, place, execution, status == "failed", expected)

    def _unfinished(
        self, planned: PlannedCell, candidate: Candidate, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Status | None]]:
        """Seeds that have to be trained, and how they ended before."""
        done = ("finished",) if self.retry else ENDED
        for seed in seeds:
            status, _ = self.study_dir.status(self._run(planned, candidate, seed))
            if status not in done:
                yield seed, status

    def _run(self, planned: PlannedCell, candidate: Candidate, seed: int) -> StudyRun:
        return StudyRun(self._place(planned, candidate, seed), to_dict(replace(candidate.spec, seed=seed)))

    def _place(self, planned: PlannedCell, candidate: Candidate, seed: int) -> Path:
        return self.study_dir.place(planned.folder, candidate.folder, seed)

    def _job(self, runs: Sequence[MissingRun]) -> PlannedJob:
        first = runs[0]
        job = Job(
            name=self._name(runs),
            runs=tuple({"spec": to_dict(r.spec), "folder": str(r.place), "recipe": r.cell} for r in runs),
            overrides=self.constraints.overrides_for(first.execution, first.spec, len(runs)),
            jobs=first.execution.jobs,
            seconds=sum(run.seconds for run in runs),
            data_of=self._data_of(first.spec),
        )
        return PlannedJob(job, tuple(runs))

    def _data_of(self, spec: RunSpec) -> str | None:
        """A run of the study that has begun with the same data, so that all cells see the same pictures."""
        for planned in self.plan.cells:
            for candidate in planned.candidates:
                if candidate.spec.data == spec.data:
                    for seed in self.plan.study.seeds:
                        run = self._run(planned, candidate, seed)
                        if DataRecord.exists(run.place) and self.study_dir.state(run).begun:
                            return str(run.place)
        return None

    def _name(self, runs: Sequence[MissingRun]) -> str:
        """What people call some runs: the cell, the value tried, the seeds, as far as they have these in common."""
        said = [_one_or_count({run.cell for run in runs}, "cells")]
        if runs[0].value:
            said.append(f"{self.record.tune} {_one_or_count({run.value for run in runs}, 'values')}")
        seeds = {run.spec.seed for run in runs}
        said.append(f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {runs[0].spec.seed}")
        return ", ".join(said)


def _one_or_count(names: set[str], what: str) -> str:
    return next(iter(names)) if len(names) == 1 else f"{len(names)} {what}"


def _stacks(runs: Iterable[MissingRun]) -> list[list[MissingRun]]:
    """The runs that are trained together, in the order of the first of each.

    A run joins those with which it has a checkpoint in common, so that nothing is trained twice; and those that had
    none yet, which all start over.
    """
    stacks: list[tuple[tuple[Any, ...], set[str], list[MissingRun]]] = []
    for run in runs:
        like, own = run.stackable_with(), run.checkpoints()
        for place, (theirs, common, members) in enumerate(stacks):
            if theirs == like and (own & common or not (own and common)):
                stacks[place] = (theirs, own & common, [*members, run])
                break
        else:
            stacks.append((like, own, [run]))
    return [members for _, _, members in stacks]
