"""A study's directory: what stands where. No torch.

plan.json            what is asked for: the whole study, and every cell with its runs' settings and costs
execution.json       how each cell is trained on each kind of host, and what was measured to choose that
runs/CELL/seed-N/    a run directory (`vitlab.records.run`); runs/CELL/VALUE/seed-N/ where a value is tuned
failed.json          runs that could not even begin or whose process died, and why
study.json           what came out, with statistics: `vitlab.study.outcome`
report.html          the same for people
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.differences import told_differences
from vitlab.base.errors import UserError
from vitlab.base.words import first_few
from vitlab.records._base import ENDED, Status
from vitlab.records.execution import CellCosts, CellExecution, ExecutionRecord
from vitlab.records.failures import Failures
from vitlab.records.history import Histories
from vitlab.records.outcome import Outcome
from vitlab.records.plan import FREE, CandidateRecord, CellRecord, PlanRecord
from vitlab.records.run import Result, RunDeclaration, read_result

Scores = list[float | None]


class StudyRun(NamedTuple):
    """A run of a study: where it stands, and what stands there if it is this one."""

    place: Path
    spec: Mapping[str, Any]


class RunState(NamedTuple):
    """How a run ended and why, None if it did not; what it measured; whether it has begun, and no other stands in its
    place; and whether its loss stopped being a finite number.
    """

    status: Status | None
    reason: str | None
    metrics: Mapping[str, Any]
    begun: bool
    diverged: bool = False


@dataclass(frozen=True)
class StudyDir:
    """Reads and writes what concerns the study as a whole."""

    path: Path
    histories: Histories = field(default_factory=Histories, compare=False, repr=False)  # as first read

    @property
    def is_study(self) -> bool:
        """Whether a study stands here."""
        return PlanRecord.exists(self.path)

    def plan(self) -> PlanRecord:
        """The record of the plan. Raises DataError if there is none, or a damaged one."""
        return PlanRecord.read(self.path)

    def claim(self, plan: PlanRecord) -> None:
        """Write the plan, or find that it is the one written here. Raises UserError where the folder is taken."""
        if self.is_study:
            recorded = self.plan()
            if recorded.id != plan.id:
                raise UserError(
                    f"--out {self.path}: the study there has other settings:\n"
                    f"{_told_settings(recorded, plan)}"
                    f"{_told_cells(recorded, plan)}"
                    "Take another --out; or go on with the study that is there:\n"
                    f"  vitlab study {self.path / PlanRecord.file} --out {self.path}"
                )
            plan = replace(plan, looks=self._looks(recorded, plan))
        elif self.path.exists() and any(not file.name.startswith(".") for file in self.path.iterdir()):
            raise UserError(f"--out {self.path}: the folder is not empty and is not a study")
        plan.write(self.path)

    def _looks(self, recorded: PlanRecord, plan: PlanRecord) -> tuple[int, ...]:
        """With how many seeds the results were seen before more are added."""
        before = {cell.name: len(cell.seeds) for cell in recorded.cells}
        more = any(len(cell.seeds) > before.get(cell.name, 0) for cell in plan.cells)
        seen = Outcome.exists(self.path) and more
        return (*recorded.looks, len(recorded.seeds)) if seen else recorded.looks

    # ----------------------------------------------------------------------------------------------------------- runs

    def run(self, cell: CellRecord, candidate: CandidateRecord, seed: int) -> StudyRun:
        """A run of the recorded plan."""
        return StudyRun(self.place(cell.folder, candidate.folder, seed), {**candidate.spec, "seed": seed})

    def place(self, cell: str, candidate: str, seed: int) -> Path:
        """Where a run stands, by the folders' names; a candidate that is the only one has none."""
        return self.path / "runs" / cell / candidate / f"seed-{seed}"

    def state(self, run: StudyRun) -> RunState:
        """What its records say, read once. It cannot be trained where another one stands."""
        declaration = RunDeclaration.read_if_there(run.place)
        if another := _another_in(run, declaration):
            return RunState("failed", another, {}, begun=False)
        result = read_result(run.place, declaration) if declaration else None
        metrics = result.metrics if result else {}
        if (result is None or result.status not in ENDED) and (reason := self.failures().get(self.name_of(run.place))):
            return RunState("failed", reason, metrics, begun=declaration is not None)
        status, why = (result.status, result.reason) if result else (None, None)
        diverged = result is not None and result.diverged
        return RunState(status, why, metrics, begun=declaration is not None, diverged=diverged)

    def metrics(self, run: StudyRun) -> Mapping[str, Any]:
        """What a run has measured."""
        return self.state(run).metrics

    def status(self, run: StudyRun) -> tuple[Status | None, str | None]:
        """How a run ended and why; None if it did not."""
        state = self.state(run)
        return state.status, state.reason

    def name_of(self, place: Path) -> str:
        """A run's name within the study."""
        return place.relative_to(self.path / "runs").as_posix()

    # ------------------------------------------------------------------------------------------------------- failures

    def failures(self) -> Mapping[str, str]:
        """Runs that ended without a record of their own, and why."""
        return (Failures.read_if_there(self.path) or Failures()).runs

    def note_failure(self, place: Path, reason: str) -> None:
        """Remember why a run has no record of its own."""
        Failures({**self.failures(), self.name_of(place): reason}).write(self.path)

    def forget_failures(self) -> None:
        """Let failed runs be tried again."""
        (self.path / Failures.file).unlink(missing_ok=True)

    # ----------------------------------------------------------------------------------------------------- executions

    def execution_record(self) -> ExecutionRecord:
        """How each cell is trained, on all kinds of host."""
        return ExecutionRecord.read_if_there(self.path) or ExecutionRecord()

    def executions(self, host: Mapping[str, Any]) -> Mapping[str, CellExecution]:
        """How each cell is trained on a kind of host, by the cell's folder."""
        return self.execution_record().on(_kind(host))

    def note_executions(self, host: Mapping[str, Any], cells: Mapping[str, CellExecution]) -> None:
        """Remember how some cells are trained on a kind of host."""
        self.execution_record().noting(_kind(host), host, cells).write(self.path)

    def costs(self, host: Mapping[str, Any]) -> Mapping[str, CellCosts]:
        """What cells cost on a kind of host, by the cell's folder; empty before they are timed."""
        known = self.execution_record().hosts.get(_kind(host))
        return known.costs if known else {}

    def note_costs(self, host: Mapping[str, Any], costs: Mapping[str, CellCosts]) -> None:
        """Remember what cells cost on a kind of host that has trained some."""
        self.execution_record().costing(_kind(host), costs).write(self.path)

    # --------------------------------------------------------------------------------------------------------- tuning

    def tuning_scores(self, plan: PlanRecord, cell: CellRecord) -> Iterator[tuple[CandidateRecord, Scores]]:
        """Each candidate of a cell with what its tuning seeds scored on validation; None where a run has none."""
        for candidate in cell.candidates:
            runs = [self.run(cell, candidate, seed) for seed in plan.seeds[: plan.tune_seeds]]
            yield candidate, [self.metrics(run).get(plan.selects) for run in runs]

    def chosen(self, plan: PlanRecord, cell: CellRecord) -> CandidateRecord | None:
        """The candidate that the cell's seeds are trained with: of the best mean on the validation split, the first of
        equals; None while none has all its tuning runs.
        """
        if len(cell.candidates) == 1:
            return cell.candidates[0]
        sign = -1 if plan.metrics[plan.selects].better == "lower" else 1
        complete = [
            (sign * sum(scores) / len(scores), candidate)  # type: ignore[arg-type]
            for candidate, scores in self.tuning_scores(plan, cell)
            if None not in scores
        ]
        return max(complete, key=lambda pair: pair[0])[1] if complete else None


def _another_in(run: StudyRun, declaration: RunDeclaration | None) -> str:
    """What is wrong with the records in a run's place, if they are not its own."""
    if declaration is None:
        return f"{run.place} has a {Result.file} and no {RunDeclaration.file}" if Result.exists(run.place) else ""
    unlike = "; ".join(line.strip() for line in declaration.unlike(run.spec).splitlines())
    return f"another run stands in its folder, move it away: {unlike}" if unlike else ""


def _told_settings(there: PlanRecord, here: PlanRecord) -> str:
    """In what two studies differ, but for their seeds, which may be more or fewer; a line each."""
    studies = [{**plan.study, **FREE} for plan in (there, here)]
    return told_differences(*studies) or f"  see its {PlanRecord.file}\n"


def _told_cells(there: PlanRecord, here: PlanRecord) -> str:
    """Which cells two plans have in common, and which not, a line each kind."""
    before, now = ({cell.name: cell.candidates for cell in plan.cells} for plan in (there, here))
    kinds = {
        "the same": [name for name in now if before.get(name) == now[name]],
        "changed": [name for name in now if name in before and before[name] != now[name]],
        "new": [name for name in now if name not in before],
        "gone": [name for name in before if name not in now],
    }
    return "".join(f"Cells that are {kind}: {', '.join(first_few(names))}\n" for kind, names in kinds.items() if names)


def _kind(host: Mapping[str, Any]) -> str:
    """A kind of host as a name."""
    return hashlib.blake2b(json.dumps(host, sort_keys=True).encode(), digest_size=6).hexdigest()
