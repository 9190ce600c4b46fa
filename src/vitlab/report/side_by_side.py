"""Two studies, or two runs, on one page: what both measured, and in which settings they differ."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vitlab.base.differences import differences
from vitlab.base.errors import DataError, UserError
from vitlab.report import two_studies, wording
from vitlab.report.answers import missing
from vitlab.report.figures import Drawing
from vitlab.report.run import SPLITS, RunRecord, read_run
from vitlab.report.study_records import StudyRecords, read_study
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.template import figures_folder, sorting, write_page
from vitlab.report.together import draw_together
from vitlab.study.folder import StudyFolder

_VALUE_LENGTH = 160  # characters of a setting that are shown; a study's list of factors is long


@dataclass(frozen=True)
class Section:
    """A part of the page; what is empty is not shown."""

    title: str
    sentences: list[str] = field(default_factory=list)
    drawings: Sequence[Drawing] = ()
    tables: Sequence[Table] = ()


def is_study(path: Path) -> bool:
    """Whether a study stands in `path` and not a run. Raises DataError if neither does."""
    if StudyFolder(path).is_study:
        return True
    if (path / "spec.json").exists():
        return False
    problem = "has neither plan.json nor spec.json" if path.is_dir() else "is no folder"
    raise DataError(f"{path}: neither a study nor a run: it {problem}")


def write_side_by_side(a: Path, b: Path, out: Path) -> Path:
    """Write the page of two studies or of two runs to `out`, figures and data to `<stem>_figures/`. Returns `out`.

    Raises UserError for a study and a run, DataError if a folder is neither or a record is damaged.
    """
    studies = is_study(a), is_study(b)
    if studies[0] != studies[1]:
        study, run = (a, b) if studies[0] else (b, a)
        raise UserError(f"{study} is a study and {run} is a run: give two studies or two runs")
    names = names_of(a, b)
    if studies[0]:
        contents = _studies(names, (read_study(a), read_study(b)), figures_folder(out))
    else:
        found = read_run(a), read_run(b)
        contents = _runs(names, found, figures_folder(out))
    return write_page(out, "side_by_side.html", names=names, figures=figures_folder(out).name, **contents, **sorting())


def names_of(a: Path, b: Path) -> tuple[str, str]:
    """The shortest ends of the two paths that differ."""
    parts = a.resolve().parts, b.resolve().parts
    for length in range(1, max(map(len, parts)) + 1):
        short = "/".join(parts[0][-length:]), "/".join(parts[1][-length:])
        if short[0] != short[1]:
            return short
    raise UserError(f"{a} and {b} are the same folder: give two")


# ------------------------------------------------------------------------------------------------------- two studies


def _studies(names: tuple[str, str], studies: tuple[StudyRecords, StudyRecords], folder: Path) -> dict[str, Any]:
    found = studies[0].outcome, studies[1].outcome
    picture, alone = two_studies.picture(names, found, folder), two_studies.only_in_one(names, found)
    tables = two_studies.comparisons(names, found), two_studies.scores(names, found)
    lacking = [f"{name}: {each}." for name, study in zip(names, found, strict=True) for each in missing(study)]
    return {
        "kind": "Two studies",
        "headline": [each.question for each in found],
        "notes": [*two_studies.notes(names, found), *lacking],
        "sections": [
            Section("Differences", alone, [picture] if picture else [], _saved(tables[0], folder)),
            Section("Scores of all cells", tables=_saved(tables[1], folder)),
            _settings(names, (studies[0].settings, studies[1].settings), folder),
        ],
    }


# ---------------------------------------------------------------------------------------------------------- two runs


def _runs(names: tuple[str, str], runs: tuple[RunRecord, RunRecord], folder: Path) -> dict[str, Any]:
    together = draw_together(dict(zip(names, ([run] for run in runs), strict=True)), folder)
    notes = [f"{name}: {note}" for name, run in zip(names, runs, strict=True) for note in wording.caveats(run)]
    one_run = "A difference between two runs may be that of their seeds; a study of several seeds tells them apart."
    numbers = _facts("key_numbers", "Size and effort.", names, [wording.key_numbers(run) for run in runs])
    machines = [wording.machine(run) + wording.choices(run) for run in runs]
    machine = _facts("machine", "In what machine, versions and choices differ.", names, machines, differing=True)
    return {
        "kind": "Two runs",
        "headline": [wording.headline(run) for run in runs],
        "notes": [one_run, *notes],
        "sections": [
            Section("Key numbers", tables=[*_saved(_scores(names, runs), folder), *_saved(numbers, folder)]),
            Section("Training", [] if together else ["Nothing was recorded along the way."], together),
            _settings(names, (runs[0].spec, runs[1].spec), folder),
            Section("Where they ran", tables=_saved(machine, folder)),
        ],
    }


def _scores(names: tuple[str, str], runs: tuple[RunRecord, RunRecord]) -> Table:
    """Accuracies in percent, losses in nats, and b minus a."""
    measures: dict[str, tuple[str, float, Callable[[float], str]]] = {
        "top1": ("top-1, %", 100, wording.percent),
        "top5": ("top-5, %", 100, wording.percent),
        "loss": ("loss, nats", 1, wording.loss),
    }
    rows = []
    for split in ("test", "val", "train"):
        for name, (title, scale, write) in measures.items():
            values = [run.metrics.get(f"{split}_{name}") for run in runs]
            if any(wording.is_number(value) for value in values):
                places = [_place(value, scale, write) for value in values]
                rows.append((named(f"{SPLITS[split].capitalize()} {title}"), *places, _change(values, scale, write)))
    columns = (*_columns("Score", names, True), Column("Difference", ("difference",), f"{names[1]} minus {names[0]}"))
    return Table("scores", "Scores of both runs.", columns, tuple(rows))


def _place(value: float | None, scale: float, write: Callable[[float], str]) -> Entry:
    return Entry(write(value), (scale * value,)) if wording.is_number(value) else absent(wording.NOT_RECORDED)


def _change(values: Sequence[float | None], scale: float, write: Callable[[float], str]) -> Entry:
    before, after = values
    if not (wording.is_number(before) and wording.is_number(after)):
        return absent("one of them is not recorded")
    change = after - before
    text = write(abs(change))
    sign = "" if float(text) == 0 else "+" if change > 0 else "\N{MINUS SIGN}"
    return Entry(sign + text, (scale * change,))


def _facts(
    name: str, caption: str, names: tuple[str, str], facts: Sequence[Sequence[wording.Fact]], differing: bool = False
) -> Table:
    """Facts by label, both runs' beside each other; only those that differ, if asked for."""
    known = [{fact.label: fact for fact in each} for each in facts]
    labels = dict.fromkeys(label for each in known for label in each)
    lacking = {label: wording.Fact(label, None, wording.NOT_RECORDED) for label in labels}
    pairs = {label: [each.get(label, lacking[label]) for each in known] for label in labels}
    rows = tuple(
        (named(label), *(absent(fact.note) if fact.value is None else named(fact.value) for fact in pair))
        for label, pair in pairs.items()
        if not differing or pair[0].value != pair[1].value
    )
    return Table(name, caption, _columns("", names, False), rows)


# --------------------------------------------------------------------------------------------------------- settings


def _settings(names: tuple[str, str], settings: tuple[Mapping[str, Any], Mapping[str, Any]], folder: Path) -> Section:
    """Every setting that differs, by dotted path."""
    title = "Settings that differ"
    a, b = settings
    paths = [*differences(a, b), *differences(b, a)]
    rows = tuple((named(path), _setting(a, path), _setting(b, path)) for path in dict.fromkeys(paths))
    if not rows:
        return Section(title, ["None."])
    table = Table("settings", "By dotted path.", _columns("Setting", names, False), rows)
    return Section(title, tables=_saved(table, folder))


def _setting(settings: Any, path: str) -> Entry:
    for key in path.split("."):
        if not isinstance(settings, Mapping) or key not in settings:
            return absent("no such setting")
        settings = settings[key]
    if isinstance(settings, Mapping) and set(settings) == {"name"}:
        settings = settings["name"]
    text = settings if isinstance(settings, str) else json.dumps(settings, ensure_ascii=False)
    return Entry(wording.shortened(text, _VALUE_LENGTH), (text,))


def _columns(first: str, names: tuple[str, str], numeric: bool) -> tuple[Column, ...]:
    return (
        Column(first or "What", ("what",), numeric=False),
        *(Column(name, (name,), numeric=numeric) for name in names),
    )


def _saved(table: Table, folder: Path) -> list[Table]:
    """The table, its data written; none where it has no row."""
    return [table.save(folder)] if table.rows else []
