"""Running a study: what is missing is trained, what is finished is left alone, what fails is recorded.

run_study(study, folder)     -> the outcome, also in study.json
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout
from rich.console import Console

from vitlab.base.errors import UserError
from vitlab.base.spec import from_dict, to_dict
from vitlab.study.choosing import Asked, choose_ways, expected_seconds
from vitlab.study.crew import LOG, Crew, Worker, answered, crew
from vitlab.study.folder import ENDED, StudyFolder, chosen
from vitlab.study.outcome import Outcome, write_outcome
from vitlab.study.plan import Candidate, Plan, PlannedCell, plan
from vitlab.study.progress import StudyProgress
from vitlab.study.spec import StudySpec
from vitlab.study.ways import Way
from vitlab.train.alike import structure
from vitlab.train.choices import Wishes
from vitlab.train.interrupt import Interrupted, Request, listening
from vitlab.train.spec import RunSpec

LOOK_EVERY = 0.2  # seconds between looks at the signals


class Wanted(NamedTuple):
    """A run that is missing."""

    cell: str
    value: str  # of the tuning grid; empty where nothing is tuned
    spec: RunSpec
    place: Path
    way: Way
    failed: bool  # before
    seconds: float  # it will take about so long of the machine, the others beside it not counted

    def stack(self) -> tuple[Any, ...]:
        """What it has in common with the runs that are trained with it, in one stack."""
        if self.way.stack == "none":
            return (self.place,)
        # those that failed have a stack of their own, since training leaves them out of others
        common = (self.way, structure(self.spec), self.failed)
        return common if self.way.stack == "cells" else (self.cell, *common)


@dataclass(frozen=True)
class Task:
    """Runs that one process trains at once."""

    name: str
    runs: tuple["Wanted", ...]
    wishes: dict[str, Any]
    jobs: int  # that share the machine with it, itself included
    seconds: float  # it will take about so long of the machine, the others beside it not counted

    def message(self) -> dict[str, Any]:
        """What the worker is asked."""
        runs = [{"spec": to_dict(run.spec), "folder": str(run.place), "recipe": run.cell} for run in self.runs]
        return {"do": "train", "runs": runs, "wishes": self.wishes}


def run_study(
    study: StudySpec,
    out: Path,
    *,
    jobs: int | None = None,
    stack: bool | None = None,
    wishes: Wishes = Wishes(),
    retry: bool = False,
    console: Console | None = None,
) -> Outcome:
    """Train what the study in `out` lacks, and write what it says.

    `jobs` processes at once, `stack` the seeds of a cell in one or not: both are chosen by measuring if left open.
    `retry`: failed runs are tried again. Raises UserError for what a user can mend, Interrupted after a signal.
    """
    console = console or Console(quiet=True)
    planned, folder = plan(study), StudyFolder(out)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".lock", timeout=0):
            folder.claim(planned.as_record())
            if retry:
                folder.forget_failures()
            launch = Launch(planned, folder, Asked(planned, wishes, jobs, stack), retry, console)
            with listening() as request, crew(out / LOG) as team:
                launch.run(team, request)
            return write_outcome(out)
    except Timeout:
        raise UserError(f"--out {out}: another process works on this study") from None


class Launch:
    """One study's way from plan to finished runs."""

    def __init__(self, plan: Plan, folder: StudyFolder, asked: Asked, retry: bool, console: Console):
        self.plan, self.folder, self.asked, self.retry, self.console = plan, folder, asked, retry, console
        self.record = folder.plan()

    def run(self, team: Crew, request: Request) -> None:
        """Measure, tune where that is asked for, train."""
        if not (self._any(self._tuning()) or self._any(self._seeds())):
            return
        choose_ways(self.plan, self.folder, self.asked, team, request, self.console)
        for stage in (self._tuning, self._seeds):
            _Stage(self, list(self._tasks(stage())), team, request).run()

    def _any(self, wanted: Iterator[tuple[PlannedCell, Candidate, Sequence[int]]]) -> bool:
        return any(True for each in wanted for _ in self._unfinished(*each))

    def _tuning(self) -> Iterator[tuple[PlannedCell, Candidate, Sequence[int]]]:
        """What has to be trained to tune every cell."""
        if self.plan.study.tune is not None:
            for planned in self.plan.cells:
                for candidate in planned.candidates:
                    yield planned, candidate, self.plan.study.seeds[: self.plan.study.tune_seeds]

    def _seeds(self) -> Iterator[tuple[PlannedCell, Candidate, Sequence[int]]]:
        """All seeds of every cell, at the value that tuning chose."""
        for planned, cell in zip(self.plan.cells, self.record["cells"], strict=True):
            winner = chosen(self.folder, self.record, cell)
            if winner is not None:
                candidate = next(each for each in planned.candidates if each.name == winner["name"])
                yield planned, candidate, self.plan.study.seeds

    def _tasks(self, wanted: Iterator[tuple[PlannedCell, Candidate, Sequence[int]]]) -> Iterator[Task]:
        stacks: dict[tuple[Any, ...], list[Wanted]] = {}
        for planned, candidate, seeds in wanted:
            for run in self._missing(planned, candidate, seeds):
                stacks.setdefault(run.stack(), []).append(run)
        yield from map(self._task, stacks.values())

    def _missing(self, planned: PlannedCell, candidate: Candidate, seeds: Sequence[int]) -> Iterator[Wanted]:
        """The runs that are not finished, and have not failed unless failed ones are tried again."""
        how = self.folder.how()[planned.folder]
        way, expected = from_dict(Way, how["way"]), expected_seconds(how)
        for seed, status in self._unfinished(planned, candidate, seeds):
            spec, place = replace(candidate.spec, seed=seed), self._place(planned, candidate, seed)
            yield Wanted(planned.cell.name, candidate.name, spec, place, way, status == "failed", expected)

    def _unfinished(
        self, planned: PlannedCell, candidate: Candidate, seeds: Sequence[int]
    ) -> Iterator[tuple[int, str | None]]:
        """Seeds that have to be trained, and how they ended before."""
        done = ("finished",) if self.retry else ENDED
        for seed in seeds:
            status, _ = self.folder.status(self._place(planned, candidate, seed))
            if status not in done:
                yield seed, status

    def _place(self, planned: PlannedCell, candidate: Candidate, seed: int) -> Path:
        return self.folder.place(planned.folder, candidate.folder, seed)

    def _task(self, runs: Sequence[Wanted]) -> Task:
        first = runs[0]
        return Task(
            name=self._name(runs),
            runs=tuple(runs),
            wishes=self.asked.wishes_for(first.way, first.spec, len(runs)),
            jobs=first.way.jobs,
            seconds=sum(run.seconds for run in runs),
        )

    def _name(self, runs: Sequence[Wanted]) -> str:
        """What people call some runs: the cell, the value tried, the seeds, as far as they have these in common."""
        cells, values = ({getattr(run, key): None for run in runs} for key in ("cell", "value"))
        said = [next(iter(cells)) if len(cells) == 1 else f"{len(cells)} cells"]
        if runs[0].value:
            said.append(f"{self.record['tune']} {next(iter(values)) if len(values) == 1 else f'{len(values)} values'}")
        seeds = {run.spec.seed for run in runs}
        said.append(f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {runs[0].spec.seed}")
        return ", ".join(said)


class _Stage:
    """Tasks, worked off in their order, as many at once as the machine's shares allow."""

    def __init__(self, launch: Launch, tasks: list[Task], team: Crew, request: Request):
        self.folder, self.tasks, self.team, self.request = launch.folder, tasks, team, request
        self.running: dict[Worker, Task] = {}
        self.progress = StudyProgress(launch.console, [task.seconds for task in tasks])

    def run(self) -> None:
        """Work off all tasks. Raises Interrupted when a signal has been obeyed."""
        waiting = list(self.tasks)
        with self.progress:
            while waiting or self.running:
                if self.request.signum:
                    self._stop()
                while waiting and self._fits(waiting[0]):
                    self._start(waiting.pop(0))
                self._collect()

    def _fits(self, task: Task) -> bool:
        share = sum(1 / other.jobs for other in self.running.values()) + 1 / task.jobs
        return share < 1 + 1e-9

    def _start(self, task: Task) -> None:
        (worker,) = self.team.idle(1, busy=self.running)
        self.running[worker] = task
        worker.ask(task.message())
        self.progress.started(task.name)

    def _collect(self) -> None:
        """Take in what has ended."""
        for worker in answered(list(self.running), LOOK_EVERY):
            task, answer = self.running.pop(worker), worker.answer()
            if "interrupted" in answer:
                continue
            if "failed" in answer and not self.request.signum:  # one that a signal ended while it got ready has not
                self._note(task, answer["failed"])
            states = [self.folder.status(run.place) for run in task.runs]
            failures = [reason or "" for status, reason in states if status == "failed"]
            self.progress.ended(task.name, task.seconds, failures)

    def _note(self, task: Task, reason: str) -> None:
        """Remember the reason for all its runs that have no record of their own."""
        for run in task.runs:
            if self.folder.status(run.place)[0] not in ENDED:
                self.folder.note_failure(run.place, reason)

    def _stop(self) -> None:
        for worker in self.running:
            worker.stop(self.request.signum)
        while self.running:
            self._collect()
        raise Interrupted(self.request.signum)
