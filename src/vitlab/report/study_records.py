"""A study's records for a page: its outcome, and what its runs recorded beside their scores."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.options import as_options
from vitlab.records.execution import CellExecution
from vitlab.records.glimpse import Glimpse, read_glimpse
from vitlab.records.inside import FILE, INSIDE
from vitlab.records.outcome import CellOutcome, Outcome
from vitlab.records.run import RunDeclaration
from vitlab.report.run import REPEAT, RunRecord, citation, command_again, read_run
from vitlab.study.study_dir import StudyDir


@dataclass(frozen=True)
class StudyRecords:
    """Everything that a page of a study reads."""

    name: str  # of its folder
    outcome: Outcome
    runs: Mapping[str, Mapping[int, RunRecord]]  # by cell and seed, of the runs that have begun
    executions: Mapping[str, Sequence[CellExecution]]  # by cell, one a kind of host
    settings: Mapping[str, Any]  # the whole study
    glimpses: Mapping[str, Glimpse]  # by cell, of one of its runs, where there is one
    insides: Mapping[str, Path]  # by cell, the folder of what `vitlab inspect` has found in one of its runs

    def finished(self, cell: CellOutcome) -> list[RunRecord]:
        """The records of a cell's finished runs, in the order of the seeds."""
        return [self.runs[cell.name][run.seed] for run in cell.runs if run.status == "finished"]

    @property
    def begun(self) -> list[RunRecord]:
        """The records of all runs that have begun."""
        return [record for runs in self.runs.values() for record in runs.values()]

    @property
    def cited(self) -> str:
        """How it is cited, with the first commit that a run recorded."""
        commits = (run.environment.commit for run in self.begun if run.environment and run.environment.commit)
        return citation(f"study {self.outcome.id}, “{self.outcome.question}”", next(commits, None))

    def command(self, cell: CellOutcome) -> str | None:
        """What trains the first run of a cell again, as it was trained; None before it has begun."""
        for run in cell.runs:
            record = self.runs[cell.name].get(run.seed)
            if record is not None:
                return command_again(record, f"{self.name}/{run.folder}/{RunDeclaration.file}")
        return None

    @property
    def study_command(self) -> str:
        """What runs the whole study again, on such a device and in the same precision."""
        first = next((record.choices for record in self.begun), {})
        chosen = as_options(first, ("device", "precision"))
        return shlex.join(["vitlab", "study", f"{self.name}/plan.json", "--out", REPEAT, *chosen])

    @property
    def command_to_decide(self) -> str | None:
        """What trains as many seeds more as would decide what is suggestive and not shown; None if nothing is."""
        return command_to_decide(self.outcome, Path(self.name))


def command_to_decide(outcome: Outcome, folder: Path) -> str | None:
    """The same, for a study that stands in a folder."""
    if (enough := outcome.seeds_to_decide) is None:
        return None
    return shlex.join(["vitlab", "study", str(folder / "plan.json"), "--out", str(folder), "--seeds", str(enough)])


def read_study(study_dir: StudyDir, computed: Outcome) -> StudyRecords:
    """Read a study whose outcome is computed already. Raises DataError if a record is damaged."""
    path = study_dir.path
    plan, hosts = study_dir.plan(), study_dir.execution_record().hosts.values()
    return StudyRecords(
        name=path.resolve().name,
        outcome=computed,
        runs={cell.name: _runs(study_dir, cell) for cell in computed.cells},
        executions={
            cell.name: [host.cells[cell.folder] for host in hosts if cell.folder in host.cells] for cell in plan.cells
        },
        settings=plan.study,
        glimpses={cell.name: glimpse for cell in computed.cells if (glimpse := _glimpse(path, cell))},
        insides={cell.name: folder for cell in plan.cells if ((folder := path / INSIDE / cell.folder) / FILE).exists()},
    )


def _glimpse(path: Path, cell: CellOutcome) -> Glimpse | None:
    found = (read_glimpse(path / run.folder) for run in cell.runs if run.folder)
    return next(filter(None, found), None)


def _runs(study_dir: StudyDir, cell: CellOutcome) -> dict[int, RunRecord]:
    places = {run.seed: study_dir.path / run.folder for run in cell.runs if run.folder}
    return {
        seed: read_run(place, with_predictions=False, histories=study_dir.histories)
        for seed, place in places.items()
        if RunDeclaration.exists(place)
    }
