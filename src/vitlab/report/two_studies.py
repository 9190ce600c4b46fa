"""Two studies' common comparisons: a picture and tables, and what only one of them has."""

from vitlab.base.words import counted
from vitlab.records.outcome import CellOutcome, ComparisonOutcome, Outcome
from vitlab.report.answers import ordered
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
_STYLES = (Style("accent", "circle"), Style("second", "diamond"))


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


def shared(studies: Studies) -> list[tuple[ComparisonOutcome, ComparisonOutcome]]:
    """The comparisons that both have, by the cell's name or by what they say, in the order of the first."""
    by_name = {compared.cell: compared for compared in studies[1].comparisons}
    by_words = {compared.says: compared for compared in studies[1].comparisons}
    found = ((compared, by_name.get(compared.cell) or by_words.get(compared.says)) for compared in ordered(studies[0]))
    return [(compared, other) for compared, other in found if other]


def only_in_one(names: Names, studies: Studies) -> list[str]:
    """Which cells only one of them has."""
    sentences = []
    common = [{compared.cell for compared in side} for side in zip(*shared(studies), strict=True)] or [set(), set()]
    for name, own, other, both in ((names[0], *studies, common[0]), (names[1], *studies[::-1], common[1])):
        alone = sorted({cell.name for cell in own.cells} - {cell.name for cell in other.cells} - both)
        if alone:
            sentences.append(f"Only in {name}: {'; '.join(alone)}.")
    return sentences


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
    told = " ".join(f"{pair[0].cell}: {_mean(unit, pair[0])} and {_mean(unit, pair[1])}." for pair in pairs)
    alt = f"{title}, of {names[0]} and {names[1]}. {told}"
    return drawing("differences", title, alt, beside, chart.wide(), chart.tall())


def _row(unit: Unit, names: Names, pair: tuple[ComparisonOutcome, ComparisonOutcome]) -> Row:
    marks = [
        Mark(
            name,
            unit.scale * compared.decision.value,
            scaled(unit, compared.decision.told),
            f"{name}, {compared.says}: {_mean(unit, compared)} {unit.unit}",
        )
        for name, compared in zip(names, pair, strict=True)
        if compared.decision.value is not None
    ]
    return Row(pair[0].cell, " · ".join(_mean(unit, compared) for compared in pair), tuple(marks))


def _mean(unit: Unit, compared: ComparisonOutcome) -> str:
    value = compared.decision.value
    return "–" if value is None else unit.signed(value, unit.digits(compared.decision.told))


def comparisons(names: Names, studies: Studies) -> Table:
    """The shared comparisons, each study's difference, interval and verdict."""
    columns = [Column("Cell", ("cell",), numeric=False)]
    for name, study in zip(names, studies, strict=True):
        unit = unit_of_study(study)
        columns += [
            Column(f"{name}: difference", (f"{name} difference",), f"{unit.title}, {unit.unit}; {unit.direction}"),
            Column("Interval", (f"{name} low", f"{name} high"), "that goes with the verdict"),
            Column("Verdict", (f"{name} verdict",), numeric=False),
        ]
    rows = []
    for pair in shared(studies):
        row = [named(pair[0].cell)]
        for compared, study in zip(pair, studies, strict=True):
            row += _difference(unit_of_study(study), compared.decision)
        rows.append(tuple(row))
    return Table("comparisons", "The comparisons that both have.", tuple(columns), tuple(rows))


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
    for name, study in zip(names, studies, strict=True):
        unit = unit_of_study(study)
        columns += [
            Column(f"{name}: mean", (f"{name} mean",), f"{unit.title} over seeds, {unit.value_unit}"),
            Column("95 %", (f"{name} low", f"{name} high"), "over seeds and images"),
            Column("Seeds", (f"{name} seeds",)),
        ]
    rows = []
    for cell in dict.fromkeys(cell.name for study in studies for cell in study.cells):
        row = [named(cell)]
        for study in studies:
            cell_there = next((other for other in study.cells if other.name == cell), None)
            row += _score(unit_of_study(study), cell_there)
        rows.append(tuple(row))
    return Table("scores", "Every cell’s score.", tuple(columns), tuple(rows))


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
