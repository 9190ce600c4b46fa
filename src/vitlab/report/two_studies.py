"""Two studies' common comparisons: a picture and tables, and what only one of them has."""

import matplotlib

from vitlab.records.outcome import CellOutcome, ComparisonOutcome, Outcome
from vitlab.report.answers import ordered
from vitlab.report.beside import Beside
from vitlab.report.figures import COLOURS, STYLE, Drawing, as_drawing
from vitlab.report.forest import Style, estimate, label_row, legend, rows_figure
from vitlab.report.study_tables import MARKS
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.units import Unit, half, unit_of_study
from vitlab.stats.intervals import Interval

Names = tuple[str, str]
Studies = tuple[Outcome, Outcome]
_STYLES = (Style("accent", "o"), Style("second", "D"))
_PLACES = (0.02, 0.26)  # of a row, downwards from its middle


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
    """The comparisons that both have, by the cell's name, in the order of the first."""
    others = {compared.cell: compared for compared in studies[1].comparisons}
    return [(compared, others[compared.cell]) for compared in ordered(studies[0]) if compared.cell in others]


def only_in_one(names: Names, studies: Studies) -> list[str]:
    """Which cells only one of them has; and if they share no comparison."""
    sentences = [] if shared(studies) else ["The two studies have no comparison in common."]
    for name, own, other in ((names[0], *studies), (names[1], *studies[::-1])):
        alone = sorted({cell.name for cell in own.cells} - {cell.name for cell in other.cells})
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
    with matplotlib.rc_context({**STYLE, "axes.grid.axis": "x"}):
        figure, axes = rows_figure(len(pairs))
        axes.axvline(0, color=COLOURS["ink"], linewidth=0.9)
        for row, pair in enumerate(pairs):
            label_row(axes, row, pair[0].cell, " · ".join(_mean(unit, compared) for compared in pair))
            for compared, style, place in zip(pair, _STYLES, _PLACES, strict=True):
                value, interval = compared.decision.value, shown_interval(compared)
                if value is not None:
                    ends = None if interval is None else (unit.scale * interval.low, unit.scale * interval.high)
                    estimate(axes, row + place, style, unit.scale * value, ends)
        axes.set_xlabel(f"difference in {unit.title}, {unit.unit} ({unit.direction})")
        legend(figure, dict(zip(names, _STYLES, strict=True)))
        title = f"Differences in {unit.title}, {unit.unit}"
        told = " ".join(f"{pair[0].cell}: {_mean(unit, pair[0])} and {_mean(unit, pair[1])}." for pair in pairs)
        return as_drawing(figure, "differences", title, f"{title}, of {names[0]} and {names[1]}. {told}", beside)


def _mean(unit: Unit, compared: ComparisonOutcome) -> str:
    value = compared.decision.value
    return "–" if value is None else unit.signed(value, unit.digits(half(shown_interval(compared))))


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
            unit = unit_of_study(study)
            halves = (half(shown_interval(other)) for other in study.comparisons)
            row += _difference(unit, unit.digits(*halves), compared)
        rows.append(tuple(row))
    return Table("comparisons", "The comparisons that both have.", tuple(columns), tuple(rows))


def _difference(unit: Unit, digits: int, compared: ComparisonOutcome) -> list[Entry]:
    decision, interval = compared.decision, shown_interval(compared)
    value, verdict, why = decision.value, decision.verdict, decision.reasons
    return [
        absent(why["value"]) if value is None else Entry(unit.signed(value, digits), (value,)),
        absent(why["interval"], 2)
        if interval is None
        else Entry(unit.interval(interval, digits, signed=True), (interval.low, interval.high)),
        Entry(verdict, (verdict,), why.get("verdict", ""), MARKS[verdict]),
    ]


def shown_interval(compared: ComparisonOutcome) -> Interval | None:
    """The interval of the verdict, or that of the comparison alone where there is none."""
    return compared.decision.quoted or compared.decision.interval


def scores(names: Names, studies: Studies) -> Table:
    """Every cell of either study with its mean, interval and number of seeds."""
    columns = [Column("Cell", ("cell",), numeric=False)]
    for name, study in zip(names, studies, strict=True):
        unit = unit_of_study(study)
        columns += [
            Column(f"{name}: mean", (f"{name} mean",), f"{unit.title} over seeds, {unit.value_unit}"),
            Column("95 %", (f"{name} low", f"{name} high"), "over seeds and pictures"),
            Column("Seeds", (f"{name} seeds",)),
        ]
    rows = []
    for cell in dict.fromkeys(cell.name for study in studies for cell in study.cells):
        row = [named(cell)]
        for study in studies:
            cell_there = next((other for other in study.cells if other.name == cell), None)
            unit = unit_of_study(study)
            row += _score(unit, unit.digits(*(half(other.score.interval) for other in study.cells)), cell_there)
        rows.append(tuple(row))
    return Table("scores", "Every cell’s score.", tuple(columns), tuple(rows))


def _score(unit: Unit, digits: int, cell: CellOutcome | None) -> list[Entry]:
    if cell is None:
        return [absent("no such cell"), absent("no such cell", 2), absent("no such cell")]
    score, interval = cell.score, cell.score.interval
    return [
        absent(score.reasons["mean"]) if score.mean is None else Entry(unit.value(score.mean, digits), (score.mean,)),
        absent(score.reasons["interval"], 2)
        if interval is None
        else Entry(unit.interval(interval, digits), (interval.low, interval.high)),
        Entry(str(score.n), (score.n,)),
    ]
