"""What a study has yet to train: the runs that are missing, as tasks of one process each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.spec import from_dict, to_dict
from vitlab.checkpoints import native
from vitlab.study.choosing import Asked, expected_seconds
from vitlab.study.folder import ENDED, StudyFolder, chosen
from vitlab.study.plan import Candidate, Plan, PlannedCell
from vitlab.study.ways import Way
from vitlab.train.alike import structure
from vitlab.train.folder import RunFolder
from vitlab.train.spec import RunSpec


class MissingRun(NamedTuple):
    """A run that is to be trained."""

    cell: str
    value: str  # of the tuning grid; empty where nothing is tuned
    spec: RunSpec
    place: Path
    way: Way
    failed: bool  # before
    seconds: float  # it will take about so long of the machine, the others beside it not counted

    def likes(self) -> tuple[Any, ...]:
        """What it has in common with the runs that it is stacked with."""
        if self.way.stack == "none":
            return (self.place,)
        # Those that failed have a stack of their own, since training leaves them out of others; and those that have
        # begun, since a stack goes on from where all its runs are
        common = (self.way, structure(self.spec), self.failed, (self.place / "spec.json").exists())
        return common if self.way.stack == "cells" else (self.cell, *common)

    def checkpoints(self) -> set[str]:
        """Where it can go on from."""
        return {path.name for path in native.complete(RunFolder(self.place, self.spec).checkpoints)}


@dataclass(frozen=True)
class Task:
    """Runs that one process trains at once."""

    name: str
    runs: tuple[MissingRun, ...]
    wishes: dict[str, Any]
    jobs: int  # that share the machine with it, itself included
    seconds: float  # it will take about so long of the machine, the others beside it not counted

    def message(self) -> dict[str, Any]:
        """What the worker is asked."""
        runs = [{"spec": to_dict(run.spec), "folder": str(run.place), "recipe": run.cell} for run in self.runs]
        return {"do": "train", "runs": runs, "wishes": self.wishes}


class Tasks:
    """The tasks of a study, by its plan and by what stands in its folder.

    `retry`: what failed is missing, too.
    """

    def __init__(self, plan: Plan, folder: StudyFolder, asked: Asked, retry: bool):
        self.plan, self.folder, self.asked, self.retry = plan, folder, asked, retry
        self.record = folder.plan()

    def any(self) -> bool:
        """Whether there is anything to train."""
        wanted = [*self._tuning(), *self._seeds()]
        return any(True for each in wanted for _ in self._unfinished(*each))

    def tuning(self) -> list[Task]:
        """What finds every cell's value of the grid."""
        return self._tasks(self._tuning())

    def seeds(self) -> list[Task]:
        """All seeds of every cell, at the value that tuning chose."""
        return self._tasks(self._seeds())

    def unrecorded(self, task: Task) -> list[MissingRun]:
        """Those runs of a task that have no record of how they ended."""
        return [run for run in task.runs if self.folder.status(run.place)[0] not in ENDED]

    def apart(self, runs: Iterable[MissingRun]) -> list[Task]:
        """Runs of a stack, each in a process of its own."""
        return [self._task([run._replace(way=replace(run.way, stack="none"))]) for run in runs]

    def _tuning(self) -> Iterator[tuple[PlannedCell, Candidate, Sequence[int]]]:
        if self.plan.study.tune is not None:
            for planned in self.plan.cells:
                for candidate in planned.candidates:
                    yield planned, candidate, self.plan.study.seeds[: self.plan.study.tune_seeds]

    def _seeds(self) -> Iterator[tuple[PlannedCell, Candidate, Sequence[int]]]:
        for planned, cell in zip(self.plan.cells, self.record["cells"], strict=True):
            winner = chosen(self.folder, self.record, cell)
            if winner is not None:
                candidate = next(each for each in planned.candidates if each.name == winner["name"])
                yield planned, candidate, self.plan.study.seeds

    def _tasks(self, wanted: Iterator[tuple[PlannedCell, Candidate, Sequence[int]]]) -> list[Task]:
        how = self.folder.how()
        missing = (run for each in wanted for run in self._missing(*each, how[each[0].folder]))
        return [self._task(runs) for runs in _stacks(missing)]

    def _missing(
        self, planned: PlannedCell, candidate: Candidate, seeds: Sequence[int], how: Mapping[str, Any]
    ) -> Iterator[MissingRun]:
        way, expected = from_dict(Way, how["way"]), expected_seconds(how)
        for seed, status in self._unfinished(planned, candidate, seeds):
            spec, place = replace(candidate.spec, seed=seed), self._place(planned, candidate, seed)
            yield MissingRun(planned.cell.name, candidate.name, spec, place, way, status == "failed", expected)

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

    def _task(self, runs: Sequence[MissingRun]) -> Task:
        first = runs[0]
        return Task(
            name=self._name(runs),
            runs=tuple(runs),
            wishes=self.asked.wishes_for(first.way, first.spec, len(runs)),
            jobs=first.way.jobs,
            seconds=sum(run.seconds for run in runs),
        )

    def _name(self, runs: Sequence[MissingRun]) -> str:
        """What people call some runs: the cell, the value tried, the seeds, as far as they have these in common."""
        said = [_one_or_count({run.cell for run in runs}, "cells")]
        if runs[0].value:
            said.append(f"{self.record['tune']} {_one_or_count({run.value for run in runs}, 'values')}")
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
    found: list[tuple[tuple[Any, ...], set[str], list[MissingRun]]] = []
    for run in runs:
        likes, own = run.likes(), run.checkpoints()
        for place, (theirs, common, members) in enumerate(found):
            if theirs == likes and (own & common or not (own and common)):
                found[place] = (theirs, own & common, [*members, run])
                break
        else:
            found.append((likes, own, [run]))
    return [members for _, _, members in found]
