"""The page of a study: its answers first, then what they stand on. One HTML file, its figures and data beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.differences import value_at
from vitlab.base.words import counted
from vitlab.records.outcome import CellOutcome, Outcome
from vitlab.report import answers, forest, study_tables, wording
from vitlab.report.answers import Sentence
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import Drawing
from vitlab.report.folded import folded
from vitlab.report.glimpses import glimpsed, maps_of_cells
from vitlab.report.glossary import explained
from vitlab.report.pareto import tradeoffs
from vitlab.report.study_notes import notes
from vitlab.report.study_records import StudyRecords
from vitlab.report.template import Page, folder_beside, render, scripts
from vitlab.report.together import draw_together
from vitlab.report.units import unit_of_study

DESIGNS = {
    "one_at_a_time": "one factor at a time",
    "leave_one_out": "leave one out",
    "factorial": "full factorial",
    "listed": "a list of cells",
    "recipe_diff": "from one recipe to another, one change at a time",
}


@dataclass(frozen=True)
class Configuration:
    """A cell as the page shows it whole."""

    name: str
    changes: list[tuple[str, str]]  # dotted path and value
    command: str | None
    spec: str  # JSON


def study_page(study: StudyRecords, out: Path) -> Page:
    """The page of a study that is to stand in the file `out`, with its files beside it.

    A study that has not finished has a page too; it says what is missing.
    """
    beside = Beside()
    made_by = f"vitlab report {study.name}"
    values = {"figures": folder_beside(out).name, "made_by": made_by, **_contents(study, beside), **scripts()}
    return Page(render("study.html", maps=maps_of_cells(study.insides, out.parent, beside), **values), beside)


def _contents(study: StudyRecords, beside: Beside) -> dict[str, Any]:
    """Everything the template shows."""
    outcome = study.outcome
    drawings, shared = tradeoffs(outcome, beside)
    names = answers.short_names(outcome)
    effects = study_tables.effects(outcome)
    told = folded(answers.compared(outcome), answers.effects(outcome))
    curves = draw_together({names[cell.name]: study.finished(cell) for cell in outcome.cells}, beside)
    executions = study_tables.executions(outcome, study.executions, _choices(study), _one_kernel(study))
    return {
        "study": outcome,
        "levels": _levels(outcome.cells),
        "sizes": _sizes(outcome),
        "subject": wording.subject(outcome.cells[0].spec),
        "cited": [study.cited],
        "design": DESIGNS.get(outcome.design, outcome.design),
        "unit": unit_of_study(outcome),
        "marks": study_tables.MARKS,
        "reference": answers.reference(outcome),
        "answers": told,
        "lacking": answers.missing(outcome),
        "notes": notes(study),
        "differences": forest.differences(outcome, beside),
        "glimpses": glimpsed(study.glimpses, beside),
        "scores": forest.scores(outcome, beside),
        "curves": curves,
        "stacked": any(run.environment and run.environment.stacked_runs > 1 for run in study.begun),
        "not_drawn": [cell.name for cell in outcome.cells if not study.finished(cell)],
        "comparisons": study_tables.comparisons(outcome).kept(beside) if outcome.comparisons else None,
        "cells": study_tables.cells(outcome).kept(beside),
        "pareto": drawings,
        "shared": shared,
        "effects_chart": forest.effects(outcome, beside) if effects else None,
        "effects": effects.kept(beside) if effects else None,
        "configurations": [_configuration(study, cell) for cell in outcome.cells],
        "command": study.study_command,
        "to_decide": study.command_to_decide,
        "executions": executions.kept(beside),
        "machine": wording.machines(study.begun),
        "words": explained(_texts(outcome, [*told.first, *told.rest], curves)),
    }


def _texts(outcome: Outcome, sentences: Sequence[Sentence], curves: Sequence[Drawing]) -> list[str]:
    """Where a page may have words that are to be explained; "cell" is one of every study."""
    cells = [f"cell {cell.name}" for cell in outcome.cells]
    return [str(answers.reference(outcome)), *map(str, sentences), *cells, *(curve.title for curve in curves)]


def _levels(cells: Sequence[CellOutcome]) -> str:
    """What the first cell has of every factor, or where its name is that of a level, of every setting that another one
    changes; empty where its name says it already.
    """
    first = cells[0]
    told = ", ".join(f"{factor} {level}" for factor, level in first.levels.items())
    if first.name == told:
        return ""
    if told and first.name not in first.levels.values():
        return told
    changed = dict.fromkeys(path for cell in cells[1:] for path in cell.settings)
    return ", ".join(f"{path.removeprefix('model.')} {_part_or_value(value_at(first.spec, path))}" for path in changed)


def _part_or_value(value: Any) -> str:
    """A part by its name, whatever its settings are; anything else as it is set."""
    return str(value["name"]) if isinstance(value, Mapping) and "name" in value else _short(value)


def _sizes(outcome: Outcome) -> str:
    """'9 cells, 6 seeds each, 17 of baseline'"""
    cells, seeds = counted(len(outcome.cells), "cell"), len(outcome.seeds)
    more = [f"{len(cell.runs)} of {cell.name}" for cell in outcome.cells if len(cell.runs) > seeds]
    return ", ".join([cells, f"{counted(seeds, 'seed')} each", *more])


def _choices(study: StudyRecords) -> dict[str, str]:
    """What the machine chose for each cell's runs, in words."""
    written = {
        name: sorted({wording.choices_in_short(run) for run in runs.values()}) for name, runs in study.runs.items()
    }
    return {name: "; ".join(ways) for name, ways in written.items() if ways}


def _one_kernel(study: StudyRecords) -> set[str]:
    """The cells whose runs recorded that their models have no choice of kernels."""
    nothing = {"kernel": None}
    return {
        name
        for name, runs in study.runs.items()
        if any(nothing.items() <= run.choices.items() for run in runs.values())
    }


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
