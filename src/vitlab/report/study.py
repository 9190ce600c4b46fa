"""The page of a study: its answers first, then what they stand on. One HTML file, its figures and data beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitlab.records.outcome import CellOutcome
from vitlab.report import answers, forest, study_tables, wording
from vitlab.report.beside import Beside
from vitlab.report.pareto import tradeoffs
from vitlab.report.study_notes import notes
from vitlab.report.study_records import StudyRecords
from vitlab.report.template import Page, render, sorting
from vitlab.report.together import draw_together
from vitlab.report.units import unit_of_study

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


def study_page(study: StudyRecords, folder: str) -> Page:
    """The page of a study, with its files in a `folder` beside it.

    A study that has not finished has a page too; it says what is missing.
    """
    beside = Beside()
    return Page(render("study.html", figures=folder, **_contents(study, beside), **sorting()), beside)


def _contents(study: StudyRecords, beside: Beside) -> dict[str, Any]:
    """Everything the template shows."""
    found = study.outcome
    drawings, shared = tradeoffs(found, beside)
    names = answers.short_names(found)
    effects = study_tables.effects(found)
    executions = study_tables.executions(found, study.executions, _choices(study))
    return {
        "study": found,
        "design": DESIGNS.get(found.design, found.design),
        "unit": unit_of_study(found),
        "marks": study_tables.MARKS,
        "reference": answers.reference(found),
        "sentences": [*answers.compared(found), *answers.effects(found)],
        "lacking": answers.missing(found),
        "notes": notes(study),
        "pictures": [each for each in (forest.differences(found, beside), forest.scores(found, beside)) if each],
        "curves": draw_together({names[cell.name]: study.finished(cell) for cell in found.cells}, beside),
        "not_drawn": [cell.name for cell in found.cells if not study.finished(cell)],
        "comparisons": study_tables.comparisons(found).kept(beside) if found.comparisons else None,
        "cells": study_tables.cells(found).kept(beside),
        "pareto": drawings,
        "shared": shared,
        "effects": effects.kept(beside) if effects else None,
        "configurations": [_configuration(study, cell) for cell in found.cells],
        "command": study.study_command,
        "ways": executions.kept(beside),
        "machine": wording.machines(study.begun),
    }


def _choices(study: StudyRecords) -> dict[str, str]:
    """What the machine chose for each cell's runs, in words."""
    written = {
        name: sorted({wording.choices_in_short(run) for run in runs.values()}) for name, runs in study.runs.items()
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
