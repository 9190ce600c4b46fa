"""The page of a study: its answers first, then what they stand on. One HTML file, its figures and data beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.report import answers, forest, study_tables, wording
from vitlab.report.pareto import tradeoffs
from vitlab.report.study_notes import notes
from vitlab.report.study_records import StudyRecords, read_study
from vitlab.report.template import figures_folder, sorting, write_page
from vitlab.report.together import draw_together
from vitlab.report.units import unit_of
from vitlab.study.outcome import CellOutcome

DESIGNS = {
    "one_at_a_time": "one factor at a time",
    "leave_one_out": "leave one out",
    "factorial": "full factorial",
    "listed": "a list of cells",
    "recipe_diff": "a walk between two recipes",
}


@dataclass(frozen=True)
class Configuration:
    """A cell as the page shows it whole."""

    name: str
    changes: list[tuple[str, str]]  # dotted path and value
    command: str | None
    spec: str  # JSON


def write_study_report(study_dir: Path, out: Path) -> Path:
    """Write the page of the study in `study_dir` to `out`, figures and data to `<stem>_figures/`. Returns `out`.

    A study that has not finished has a page too; it says what is missing. Raises DataError if a record is damaged.
    """
    study = read_study(study_dir)
    return write_page(out, "study.html", **_contents(study, figures_folder(out)), **sorting())


def _contents(study: StudyRecords, folder: Path) -> dict[str, Any]:
    """Everything the template shows."""
    found = study.outcome
    drawings, shared = tradeoffs(found, folder)
    effects = study_tables.effects(found)
    ways = study_tables.ways(found, study.how, _choices(study))
    return {
        "study": found,
        "design": DESIGNS.get(found.design, found.design),
        "unit": unit_of(found.metric, found.better),
        "marks": study_tables.MARKS,
        "reference": answers.reference(found),
        "sentences": [*answers.compared(found), *answers.effects(found)],
        "lacking": answers.missing(found),
        "notes": notes(study),
        "pictures": [each for each in (forest.differences(found, folder), forest.scores(found, folder)) if each],
        "curves": draw_together({cell.name: study.finished(cell) for cell in found.cells}, folder),
        "not_drawn": [cell.name for cell in found.cells if not study.finished(cell)],
        "comparisons": study_tables.comparisons(found).save(folder) if found.comparisons else None,
        "cells": study_tables.cells(found).save(folder),
        "pareto": drawings,
        "shared": shared,
        "effects": effects.save(folder) if effects else None,
        "configurations": [_configuration(study, cell) for cell in found.cells],
        "command": study.study_command,
        "ways": ways.save(folder),
        "machine": wording.machines(study.begun),
        "figures": folder.name,
    }


def _choices(study: StudyRecords) -> dict[str, str]:
    """What the machine chose for each cell's runs, in words."""
    written = {
        name: sorted({wording.choices_in_short(run.env.get("choices")) for run in runs.values()})
        for name, runs in study.runs.items()
    }
    return {name: "; ".join(found) for name, found in written.items() if found}


def _configuration(study: StudyRecords, cell: CellOutcome) -> Configuration:
    return Configuration(
        name=cell.name,
        changes=[(path, _short(value)) for path, value in cell.settings.items()],
        command=study.command(cell),
        spec=json.dumps(cell.spec, indent=2, ensure_ascii=False),
    )


def _short(value: Any) -> str:
    """A setting's value on one line: a component without settings by its name alone."""
    if isinstance(value, Mapping) and set(value) == {"name"}:
        return str(value["name"])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
