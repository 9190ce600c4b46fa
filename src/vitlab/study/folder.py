"""A study's directory: what stands where. No torch.

plan.json            what is asked for: the whole study, and every cell with its runs' settings and costs
how.json             how each cell is trained on this machine, and what was measured to choose that
runs/CELL/seed-N/    a run directory (`vitlab.base.records`); runs/CELL/VALUE/seed-N/ where a value is tuned
failed.json          runs that could not even begin or whose process died, and why
study.json           what came out, with statistics: `vitlab.study.outcome`
report.html          the same for people
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base import records
from vitlab.base.errors import DataError, UserError

ENDED = ("finished", "failed")  # runs with a record that stands, however the process went


@dataclass(frozen=True)
class StudyFolder:
    """Reads and writes what concerns the study as a whole."""

    path: Path

    @property
    def is_study(self) -> bool:
        """Whether a study stands here."""
        return (self.path / "plan.json").exists()

    def plan(self) -> dict[str, Any]:
        """The record of the plan. Raises DataError if there is none, or a damaged one."""
        found = records.read_json(self.path / "plan.json")
        missing = [name for name in ("id", "cells", "seeds", "metric", "study") if name not in found]
        if missing:
            raise DataError(f"{self.path / 'plan.json'} is damaged: {missing[0]} is missing")
        return found

    def claim(self, plan: Mapping[str, Any]) -> None:
        """Write the plan, or find that it is the one written here. Raises UserError where the folder is taken."""
        if self.is_study:
            if self.plan()["id"] != plan["id"]:
                raise UserError(f"--out {self.path}: the study there has other settings; its plan.json says which")
        elif self.path.exists() and any(not each.name.startswith(".") for each in self.path.iterdir()):
            raise UserError(f"--out {self.path}: the folder is not empty and holds no study")
        records.write_json(self.path / "plan.json", plan)

    def run(self, cell: Mapping[str, Any], candidate: Mapping[str, Any], seed: int) -> Path:
        """Where a run of the recorded plan stands."""
        return self.place(cell["folder"], candidate["folder"], seed)

    def place(self, cell: str, candidate: str, seed: int) -> Path:
        """The same by the folders' names; a candidate that is the only one has none."""
        return self.path / "runs" / cell / candidate / f"seed-{seed}"

    def metrics(self, run: Path) -> dict[str, Any]:
        """What a run has measured; nothing before it has ended."""
        result = run / "result.json"
        return records.read_json(result).get("metrics", {}) if result.exists() else {}

    def status(self, run: Path) -> tuple[str | None, str | None]:
        """How a run ended and why: "finished", "failed", "interrupted"; None if it did not."""
        result = run / "result.json"
        found = records.read_json(result) if result.exists() else {}
        if found.get("status") not in ENDED and (reason := self.failures().get(self.name_of(run))):
            return "failed", reason
        return found.get("status"), found.get("reason")

    def name_of(self, run: Path) -> str:
        """A run's name within the study."""
        return run.relative_to(self.path / "runs").as_posix()

    def failures(self) -> dict[str, str]:
        """Runs that ended without a record of their own, and why."""
        return self._read("failed.json").get("runs", {})

    def note_failure(self, run: Path, reason: str) -> None:
        """Remember why a run has no record of its own."""
        records.write_json(self.path / "failed.json", {"runs": self.failures() | {self.name_of(run): reason}})

    def forget_failures(self) -> None:
        """Let failed runs be tried again."""
        (self.path / "failed.json").unlink(missing_ok=True)

    def how(self) -> dict[str, Any]:
        """How each cell is trained, by the cell's folder."""
        return self._read("how.json").get("cells", {})

    def note_how(self, cells: Mapping[str, Mapping[str, Any]]) -> None:
        """Remember how some cells are trained."""
        records.write_json(self.path / "how.json", {"cells": self.how() | {k: dict(v) for k, v in cells.items()}})

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        return records.read_json(path) if path.exists() else {}


def tuning_scores(
    folder: StudyFolder, plan: Mapping[str, Any], cell: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Any], list[float | None]]]:
    """Each candidate of a cell with the validation top-1 of its tuning seeds; None where a run has none."""
    for candidate in cell["candidates"]:
        runs = [folder.run(cell, candidate, seed) for seed in plan["seeds"][: plan["tune_seeds"]]]
        yield candidate, [folder.metrics(run).get("val_top1") for run in runs]


def chosen(folder: StudyFolder, plan: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any] | None:
    """The candidate that the cell's seeds are trained with: of the best mean on the validation split, the first of
    equals; None while none has all its tuning runs.
    """
    if len(cell["candidates"]) == 1:
        return cell["candidates"][0]
    complete = [
        (sum(scores) / len(scores), candidate)  # type: ignore[arg-type]
        for candidate, scores in tuning_scores(folder, plan, cell)
        if None not in scores
    ]
    return max(complete, key=lambda pair: pair[0])[1] if complete else None
