"""Two studies' common comparisons: a picture and tables, and what only one of them has."""

import json
from dataclasses import dataclass

from vitlab.base.words import counted
from vitlab.records.outcome import CellOutcome, EffectOutcome, Outcome
from vitlab.report.answers import alone_or_together, ordered
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import Drawing, drawing
from vitlab.report.charts.rows import Mark, Row, Rows, Style
from vitlab.report.forest import scaled
from vitlab.report.study_tables import MARKS
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.units import Unit, unit_of_study
from vitlab.stats.decision import Decision

Names = tuple[str, str]
Studies = tuple[Outcome, Outcome]
_STYLES, _GLYPHS = (Style("accent", "circle"), Style("second", "diamond")), ("●", "◆")


def in_common(studies: Studies) -> list[str]:
    """How many comparisons both have, and how many of them with the same verdict."""
    pairs = shared(studies)
    if not pairs:
        return ["The two studies have no comparison in common."]
    same = sum(one.decision.verdict == other.decision.verdict for one, other in pairs)
    return [f"They have {counted(len(pairs), 'comparison')} in common, {same or 'none'} with the same verdict."]


def notes(names: Names, studies: Studies) -> list[str]:
    """What comparing two studies cannot say."""
    notes = [
        "Intervals are those of each study’s own verdicts. No test is made between the studies: they may differ in "
        "more than one thing."
    ]
    if studies[0].metric != studies[1].metric:
        told = " and ".join(f"{name} {study.metric}" for name, study in zip(names, studies, strict=True))
        notes.append(f"The studies have different metrics, {told}: each is written in its own unit.")
    return notes


@dataclass(frozen=True)
class Claim:
    """A comparison or an effect, by what it changes: two studies have it if both change the same."""

    changes: str
    name: str
    says: str
    decision: Decision


def claims(study: Outcome) -> list[Claim]:
    """All of a study's comparisons, the largest first, and its effects."""
    compared = [
        Claim(_changes(study, each.cell, each.against), each.cell, each.says, each.decision) for each in ordered(study)
    ]
    return [*compared, *(_of_effect(study, effect) for effect in study.effects)]


def _of_effect(study: Outcome, effect: EffectOutcome) -> Claim:
    single = "on average: " if len(effect.factors) == 1 else ""
    says = f"{single}{alone_or_together(study, effect)}"
    return Claim(_changes_of_effect(study, effect), says, says, effect.decision)


def _changes(study: Outcome, cell: str, against: str) -> str:
    return json.dumps([_settings_of(study.cell(each)) for each in (cell, against)])


def _changes_of_effect(study: Outcome, effect: EffectOutcome) -> str:
    """The settings of the cells that have one of its levels alone."""
    levels = [{**study.cells[0].levels, name: level} for name, level in zip(effect.factors, effect.levels, strict=True)]
    alone = [_settings_of(cell) for each in levels for cell in study.cells if cell.levels == each]
    return json.dumps(["effect", *sorted(alone)])


def shared(studies: Studies) -> list[tuple[Claim, Claim]]:
    """What both compared, by the settings that it changes, in the order of the first."""
    others = {claim.changes: claim for claim in claims(studies[1])}
    return [(claim, others[claim.changes]) for claim in claims(studies[0]) if claim.changes in others]


def _same_cells(studies: Studies) -> list[tuple[CellOutcome | None, CellOutcome | None]]:
    """Every cell of either study beside the one of the other that has the same settings."""
    first, second = ({_settings_of(cell): cell for cell in study.cells} for study in studies)
    return [(first.get(settings), second.get(settings)) for settings in dict.fromkeys([*first, *second])]


def _settings_of(cell: CellOutcome) -> str:
    return json.dumps(cell.settings, sort_keys=True)


def only_in_one(names: Names, studies: Studies) -> list[str]:
    """Which cells only one of them has."""
    cells = _same_cells(studies)
    alone = (
        [one.name for one, other in cells if one and not other],
        [other.name for one, other in cells if other and not one],
    )
    return [f"Only in {name}: {'; '.join(sorted(each))}." for name, each in zip(names, alone, strict=True) if each]


def picture(names: Names, studies: Studies, beside: Beside) -> Drawing | None:
    """Both differences of every shared comparison; None where there is none, or where the metrics differ."""
    pairs = shared(studies)
    drawable = [compared.decision.value is not None for pair in pairs for compared in pair]
    if studies[0].metric != studies[1].metric or not any(drawable):
        return None
    unit = unit_of_study(studies[0])
    styles = dict(zip(names, _STYLES, strict=True))
    rows = [_row(unit, names, pair) for pair in pairs]
    chart = Rows(rows, styles, f"difference in {unit.title}, {unit.unit} ({unit.direction})", origin=0.0)
    title = f"Differences in {unit.title}, {unit.unit}"
    told = " ".join(f"{pair[0].name}: {_mean(unit, pair[0])} and {_mean(unit, pair[1])}." for pair in pairs)
    alt = f"{title}, of {names[0]} and {names[1]}. {told}"
    return drawing("differences", title, alt, beside, chart.wide(), chart.tall())


def _row(unit: Unit, names: Names, pair: tuple[Claim, Claim]) -> Row:
    marks = [
        Mark(
            name,
            unit.scale * compared.decision.value,
            scaled(unit, compared.decision.told),
            f"{name}, {compared.says}: {_told(unit, compared)}",
        )
        for name, compared in zip(names, pair, strict=True)
        if compared.decision.value is not None
    ]
    numbers = (f"{glyph} {_mean(unit, compared)}" for glyph, compared in zip(_GLYPHS, pair, strict=True))
    return Row(pair[0].name, "  ".join(numbers), tuple(marks))


def _told(unit: Unit, compared: Claim) -> str:
    """'-1.2 points [-2.4, -0.1], worse'"""
    interval, digits = compared.decision.told, unit.digits(compared.decision.told)
    written = f" {unit.interval(interval, digits, signed=True)}" if interval else ""
    return f"{_mean(unit, compared)} {unit.unit}{written}, {compared.decision.verdict or 'no verdict'}"


def _mean(unit: Unit, compared: Claim) -> str:
    value = compared.decision.value
    return "–" if value is None else unit.signed(value, unit.digits(compared.decision.told))


def _whose(names: Names) -> str:
    """'● a, ◆ b', as in the picture"""
    return ", ".join(f"{glyph} {name}" for glyph, name in zip(_GLYPHS, names, strict=True))


def comparisons(names: Names, studies: Studies) -> Table:
    """The shared comparisons, each study's difference, interval and verdict."""
    columns = [Column("Cell", ("cell",), numeric=False)]
    for glyph, name, study in zip(_GLYPHS, names, studies, strict=True):
        unit = unit_of_study(study)
        told = f"of {name}, {unit.title}, {unit.unit}; {unit.direction}"
        columns += [
            Column(f"{glyph} difference", (f"{name} difference",), told),
            Column("Interval", (f"{name} low", f"{name} high"), "that goes with the verdict"),
            Column("Verdict", (f"{name} verdict",), numeric=False),
        ]
    rows = []
    for pair in shared(studies):
        row = [named(pair[0].name)]
        for compared, study in zip(pair, studies, strict=True):
            row += _difference(unit_of_study(study), compared.decision)
        rows.append(tuple(row))
    return Table("comparisons", f"The comparisons that both have: {_whose(names)}.", tuple(columns), tuple(rows))


def _difference(unit: Unit, decision: Decision) -> list[Entry]:
    interval, digits = decision.told, unit.digits(decision.told)
    value, verdict, why = decision.value, decision.verdict, decision.reasons
    return [
        absent(why["value"]) if value is None else Entry(unit.signed(value, digits), (value,)),
        absent(why["interval"], 2)
        if interval is None
        else Entry(unit.interval(interval, digits, signed=True), (interval.low, interval.high)),
        Entry(verdict, (verdict,), why.get("verdict", ""), MARKS[verdict]),
    ]


def scores(names: Names, studies: Studies) -> Table:
    """Every cell of either study with its mean, interval and number of seeds."""
    columns = [Column("Cell", ("cell",), numeric=False)]
    for glyph, name, study in zip(_GLYPHS, names, studies, strict=True):
        unit = unit_of_study(study)
        columns += [
            Column(f"{glyph} mean", (f"{name} mean",), f"of {name}, {unit.title} over seeds, {unit.value_unit}"),
            Column("95 %", (f"{name} low", f"{name} high"), "over seeds and images"),
            Column("Seeds", (f"{name} seeds",)),
        ]
    rows = []
    for cells in _same_cells(studies):
        row = [named(next(cell.name for cell in cells if cell))]
        for cell, study in zip(cells, studies, strict=True):
            row += _score(unit_of_study(study), cell)
        rows.append(tuple(row))
    return Table("scores", f"Every cell’s score: {_whose(names)}.", tuple(columns), tuple(rows))


def _score(unit: Unit, cell: CellOutcome | None) -> list[Entry]:
    if cell is None:
        return [absent("no such cell"), absent("no such cell", 2), absent("no such cell")]
    score, interval, digits = cell.score, cell.score.interval, unit.digits(cell.score.interval)
    return [
        absent(score.reasons["mean"]) if score.mean is None else Entry(unit.value(score.mean, digits), (score.mean,)),
        absent(score.reasons["interval"], 2)
        if interval is None
        else Entry(unit.interval(interval, digits), (interval.low, interval.high)),
        Entry(str(score.n), (score.n,)),
    ]
