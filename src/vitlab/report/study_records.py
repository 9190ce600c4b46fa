"""A study's records for a page: its outcome, and what its runs recorded beside their scores."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.report.run import RunRecord, read_run
from vitlab.study.folder import StudyFolder
from vitlab.study.outcome import CellOutcome, Outcome, outcome

AGAIN = "again"  # the folder that commands write to
# A run's choices that a command makes again; how many images are taken at once changes no result
CHOICES = ("device", "precision", "kernel", "threads", "compiled", "checkpointing", "deterministic")


@dataclass(frozen=True)
class StudyRecords:
    """Everything that a page of a study reads."""

    name: str  # of its folder
    outcome: Outcome
    runs: Mapping[str, Mapping[int, RunRecord]]  # by cell and seed, of the runs that have begun
    how: Mapping[str, Any]  # by cell, see `vitlab.study.folder`
    settings: Mapping[str, Any]  # the whole study

    def finished(self, cell: CellOutcome) -> list[RunRecord]:
        """The records of a cell's finished runs, in the order of the seeds."""
        return [self.runs[cell.name][run.seed] for run in cell.runs if run.status == "finished"]

    @property
    def begun(self) -> list[RunRecord]:
        """The records of all runs that have begun."""
        return [record for runs in self.runs.values() for record in runs.values()]

    def command(self, cell: CellOutcome) -> str | None:
        """What trains the first run of a cell again, as it was trained; None before it has begun."""
        for run in cell.runs:
            record = self.runs[cell.name].get(run.seed)
            if record is not None:
                place = f"{self.name}/{run.folder}/spec.json"
                chosen = _chosen(record.env.get("choices"), CHOICES)
                return shlex.join(["vitlab", "train", place, "--out", AGAIN, *chosen])
        return None

    @property
    def study_command(self) -> str:
        """What runs the whole study again, on such a device and in the same precision."""
        first = next((record.env.get("choices") for record in self.begun), None)
        chosen = _chosen(first, ("device", "precision"))
        return shlex.join(["vitlab", "study", f"{self.name}/plan.json", "--out", AGAIN, *chosen])


def _chosen(choices: Any, names: Sequence[str]) -> list[str]:
    """The options that make these choices again."""
    if not isinstance(choices, Mapping):
        return []
    found = {name: choices[name] for name in names if choices.get(name) not in (None, False)}
    flags = {"compiled": "--compile"}
    words = [(flags.get(name, f"--{name}"), *([] if value is True else [str(value)])) for name, value in found.items()]
    return [word for option in words for word in option]


def read_study(path: Path) -> StudyRecords:
    """Read the study in `path` as far as it has come. Raises DataError if a record is damaged."""
    folder, found = StudyFolder(path), outcome(path)
    plan, how = folder.plan(), folder.how()
    return StudyRecords(
        name=path.resolve().name,
        outcome=found,
        runs={cell.name: _runs(path, cell) for cell in found.cells},
        how={cell["name"]: how[cell["folder"]] for cell in plan["cells"] if cell["folder"] in how},
        settings=plan["study"],
    )


def _runs(path: Path, cell: CellOutcome) -> dict[int, RunRecord]:
    places = {run.seed: path / run.folder for run in cell.runs if run.folder}
    return {
        seed: read_run(place, with_predictions=False)
        for seed, place in places.items()
        if (place / "spec.json").exists()
    }
