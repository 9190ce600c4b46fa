"""The page of two studies, or two runs, side by side: what both measured, and in which settings they differ."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.differences import differences
from vitlab.base.errors import UserError
from vitlab.base.words import shortened
from vitlab.report import two_studies, wording
from vitlab.report.answers import missing
from vitlab.report.beside import Beside
from vitlab.report.figures import Drawing
from vitlab.report.glossary import explained
from vitlab.report.run import SPLITS, RunRecord
from vitlab.report.study_records import StudyRecords
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.template import Page, render, scripts
from vitlab.report.together import draw_together
from vitlab.report.units import Unit, title_of, unit_of

Names = tuple[str, str]
_VALUE_LENGTH = 160  # characters of a setting that are shown; a study's list of factors is long


@dataclass(frozen=True)
class Section:
    """A part of the page; what is empty is not shown."""

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Contents:
    """The page from above: a sentence or two of each side, what there is between them, the pictures of it, the rest."""

    kind: str
    headline: Sequence[str]
    answers: Sequence[str]
    drawings: Sequence[Drawing]
    notes: Sequence[str]
    sections: Sequence[Section]
    cited: Sequence[str]


def two_studies_page(names: Names, studies: tuple[StudyRecords, StudyRecords], folder: str) -> Page:
    """The page of two studies, with its files in a `folder` beside it."""
    beside = Beside()
    return _page(names, _studies(names, studies, beside), folder, beside)


def two_runs_page(names: Names, runs: tuple[RunRecord, RunRecord], folder: str) -> Page:
    """The page of two runs, with its files in a `folder` beside it."""
    beside = Beside()
    return _page(names, _runs(names, runs, beside), folder, beside)


def _page(names: Names, contents: Contents, folder: str, beside: Beside) -> Page:
    entries = [(f"section-{number}", section.title) for number, section in enumerate(contents.sections, 1)]
    told = [*contents.headline, *contents.answers, *(drawing.title for drawing in contents.drawings)]
    named = [str(row[0].text) for section in contents.sections for table in section.tables for row in table.rows]
    words = explained([*told, *named])
    values = {
        "names": names,
        "figures": folder,
        "made_by": f"vitlab report {' '.join(names)}",
        "entries": entries,
        "words": words,
        **vars(contents),
        **scripts(),
    }
    return Page(render("side_by_side.html", **values), beside)


def names_of(a: Path, b: Path) -> Names:
    """The shortest ends of the two paths that differ."""
    parts = a.resolve().parts, b.resolve().parts
    for length in range(1, max(map(len, parts)) + 1):
        short = "/".join(parts[0][-length:]), "/".join(parts[1][-length:])
        if short[0] != short[1]:
            return short
    raise UserError(f"{a} and {b} are the same folder: give two")


# ------------------------------------------------------------------------------------------------------- two studies


def _studies(names: Names, studies: tuple[StudyRecords, StudyRecords], beside: Beside) -> Contents:
    outcomes = studies[0].outcome, studies[1].outcome
    picture = two_studies.picture(names, outcomes, beside)
    tables = two_studies.comparisons(names, outcomes), two_studies.scores(names, outcomes)
    lacking = [f"{name}: {line}." for name, study in zip(names, outcomes, strict=True) for line in missing(study)]
    sections = [
        Section("Differences", tables=_saved(tables[0], beside)),
        Section("Scores of all cells", tables=_saved(tables[1], beside)),
        _settings(names, (studies[0].settings, studies[1].settings), beside),
    ]
    return Contents(
        kind="Two studies",
        headline=[outcome.question for outcome in outcomes],
        answers=[*two_studies.in_common(outcomes), *two_studies.only_in_one(names, outcomes), *lacking],
        drawings=[picture] if picture else [],
        notes=two_studies.notes(names, outcomes),
        sections=_shown(sections),
        cited=[study.cited for study in studies],
    )


# ---------------------------------------------------------------------------------------------------------- two runs


def _runs(names: Names, runs: tuple[RunRecord, RunRecord], beside: Beside) -> Contents:
    together = draw_together(dict(zip(names, ([run] for run in runs), strict=True)), beside)
    notes = [f"{name}: {note}" for name, run in zip(names, runs, strict=True) for note in wording.caveats(run)]
    one_run = "A difference between two runs may be due to their seeds alone; a study with several seeds can tell."
    numbers = _facts("key_numbers", "Size and effort.", names, [wording.key_numbers(run) for run in runs])
    machines = [wording.machine(run) + wording.choices(run) for run in runs]
    machine = _facts("machine", "Differences in machine, versions and choices.", names, machines, differing=True)
    sections = [
        _settings(names, (runs[0].spec, runs[1].spec), beside),
        Section("Key numbers", tables=[*_saved(_scores(names, runs), beside), *_saved(numbers, beside)]),
        Section("Where they ran", tables=_saved(machine, beside)),
    ]
    return Contents(
        kind="Two runs",
        headline=[wording.headline(run) for run in runs],
        answers=[*_between(names, runs), one_run, *([] if together else ["Nothing was recorded during training."])],
        drawings=together,
        notes=notes,
        sections=_shown(sections),
        cited=[run.cited for run in runs if run.cited],
    )


def _shown(sections: Sequence[Section]) -> list[Section]:
    """Those that have something to say."""
    return [section for section in sections if section.sentences or section.tables]


def _between(names: Names, runs: tuple[RunRecord, RunRecord]) -> list[str]:
    """How far apart they are in the metric that selects, of the test split or of validation."""
    if (metric := runs[0].selected) is None:
        return []
    for split in ("test", "val"):
        before, after = (run.metrics.get(f"{split}_{metric.name}") for run in runs)
        if wording.is_number(before) and wording.is_number(after):
            unit = unit_of(metric, split)
            told = f"{names[1]} minus {names[0]}: {unit.signed(after - before)} {unit.unit}"
            return [f"Difference in {unit.title}, {told}."]
    return []


def _scores(names: Names, runs: tuple[RunRecord, RunRecord]) -> Table:
    """What both measured, each in its unit, and b minus a."""
    rows = []
    metrics = {**runs[0].measured, **runs[1].measured}
    for split in ("test", "val", "train"):
        for metric in metrics.values():
            values = [run.metrics.get(f"{split}_{metric.name}") for run in runs]
            if any(wording.is_number(value) for value in values):
                unit = unit_of(metric)
                places = [_place(value, unit) for value in values]
                title = title_of(metric)
                title = f"{SPLITS[split].capitalize()} {title[:1].lower()}{title[1:]}"
                rows.append((named(title), *places, _change(values, unit)))
    columns = (*_columns("Score", names, True), Column("Difference", ("difference",), f"{names[1]} minus {names[0]}"))
    return Table("scores", "Scores of both runs.", columns, tuple(rows))


def _place(value: float | None, unit: Unit) -> Entry:
    return Entry(unit.value(value), (unit.scale * value,)) if wording.is_number(value) else absent(wording.NOT_RECORDED)


def _change(values: Sequence[float | None], unit: Unit) -> Entry:
    before, after = values
    if not (wording.is_number(before) and wording.is_number(after)):
        return absent("one of them is not recorded")
    return Entry(unit.signed(after - before), (unit.scale * (after - before),))


def _facts(
    name: str, caption: str, names: Names, facts: Sequence[Sequence[wording.Fact]], differing: bool = False
) -> Table:
    """Facts by label, both runs' beside each other; only those that differ, if asked for."""
    known = [{fact.label: fact for fact in labelled} for labelled in facts]
    labels = dict.fromkeys(label for labelled in known for label in labelled)
    lacking = {label: wording.Fact(label, None, wording.NOT_RECORDED) for label in labels}
    pairs = {label: [labelled.get(label, lacking[label]) for labelled in known] for label in labels}
    rows = tuple(
        (named(label), *(absent(fact.note) if fact.value is None else named(fact.value) for fact in pair))
        for label, pair in pairs.items()
        if not differing or pair[0].value != pair[1].value
    )
    return Table(name, caption, _columns("", names, False), rows)


# --------------------------------------------------------------------------------------------------------- settings


def _settings(names: Names, settings: tuple[Mapping[str, Any], Mapping[str, Any]], beside: Beside) -> Section:
    """Every setting that differs, by dotted path."""
    title = "Settings that differ"
    a, b = settings
    paths = [*differences(a, b), *differences(b, a)]
    rows = tuple((named(path), _setting(a, path), _setting(b, path)) for path in dict.fromkeys(paths))
    if not rows:
        return Section(title, ["None."])
    table = Table("settings", "Each by its path in the spec.", _columns("Setting", names, False), rows)
    return Section(title, tables=_saved(table, beside))


def _setting(settings: Any, path: str) -> Entry:
    for key in path.split("."):
        if not isinstance(settings, Mapping) or key not in settings:
            return absent("no such setting")
        settings = settings[key]
    if isinstance(settings, Mapping) and set(settings) == {"name"}:
        settings = settings["name"]
    text = settings if isinstance(settings, str) else json.dumps(settings, ensure_ascii=False)
    return Entry(shortened(text, _VALUE_LENGTH), (text,))


def _columns(first: str, names: Names, numeric: bool) -> tuple[Column, ...]:
    return (
        Column(first or "What", ("what",), numeric=False),
        *(Column(name, (name,), numeric=numeric, always=True) for name in names),
    )


def _saved(table: Table, beside: Beside) -> list[Table]:
    """The table, its data written; none where it has no row."""
    return [table.kept(beside)] if table.rows else []
