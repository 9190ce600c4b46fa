"""Charts of a study with a row for each thing: differences and effects with their intervals, scores of all seeds."""

from collections.abc import Mapping

from vitlab.records.outcome import CellOutcome, ComparisonOutcome, Outcome
from vitlab.report.answers import alone_or_together, ordered, seeds
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import Drawing, drawing
from vitlab.report.charts.rows import Mark, Row, Rows, Style
from vitlab.report.tables import add_csv
from vitlab.report.units import Unit, unit_of_study
from vitlab.stats.decision import Decision
from vitlab.stats.intervals import Interval

Points = tuple[tuple[float, str], ...]  # values with what they say

# A verdict is told by colour and by shape
STYLES = {
    "worse": Style("second", "triangle-down"),
    "better": Style("accent", "triangle-up"),
    "not distinguishable": Style("muted", "circle", filled=False),
    "no difference worth having": Style("muted", "diamond"),
    "no verdict": Style("muted", "cross"),
}
_MEAN, _ALONE = "the mean and its 95 % interval", "the mean"


def differences(outcome: Outcome, beside: Beside) -> Drawing | None:
    """Every comparison's difference with its interval, and the cell's seeds less the other's mean; None where nothing
    can be compared.
    """
    shown = ordered(outcome)
    if all(compared.decision.value is None for compared in shown):
        return None
    unit = unit_of_study(outcome)
    by_seed = {compared.cell: _by_seed(outcome, compared) for compared in shown}
    data = [
        (compared.cell, compared.against, seed, value)
        for compared in shown
        for seed, value in by_seed[compared.cell].items()
    ]
    add_csv(beside, "differences", ("cell", "against", "seed", "difference"), data)
    rows = [_row(unit, compared.says, compared.decision, _points(unit, compared, by_seed)) for compared in shown]
    chart = Rows(rows, STYLES, f"difference in {unit.title}, {unit.unit} ({unit.direction})", origin=0.0)
    spoken = " ".join(_spoken(compared.says, compared.decision, unit) for compared in shown)
    alt = f"Differences in {unit.title} with the intervals of their verdicts. {spoken}"
    title = f"Differences in {unit.title}, {unit.unit}"
    return drawing("differences", title, alt, beside, chart.wide(), chart.tall())


def _by_seed(outcome: Outcome, compared: ComparisonOutcome) -> dict[int, float]:
    other = outcome.cell(compared.against).score.mean
    return (
        {}
        if other is None
        else {seed: score - other for seed, score in outcome.cell(compared.cell).scores(outcome.metric).items()}
    )


def effects(outcome: Outcome, beside: Beside) -> Drawing | None:
    """Main effects and interactions with their intervals; None where there are none."""
    said = {alone_or_together(outcome, effect): effect.decision for effect in outcome.effects}
    if all(decision.value is None for decision in said.values()):
        return None
    unit = unit_of_study(outcome)
    rows = [_row(unit, says, decision, ()) for says, decision in said.items()]
    title = f"Main effects and interactions in {unit.title}, {unit.unit}"
    chart = Rows(rows, STYLES, f"effect on {unit.title}, {unit.unit} ({unit.direction})", origin=0.0)
    alt = f"{title}. " + " ".join(_spoken(says, decision, unit) for says, decision in said.items())
    return drawing("effects", title, alt, beside, chart.wide(), chart.tall())


def _row(unit: Unit, says: str, decision: Decision, points: Points) -> Row:
    kind = decision.verdict or "no verdict"
    interval, digits = decision.told, unit.digits(decision.told)
    if decision.value is None:
        return Row(says, "no answer", ())
    written = unit.signed(decision.value, digits)
    numbers = f"{written} {unit.interval(interval, digits, signed=True)}" if interval else written
    mark = Mark(kind, unit.scale * decision.value, scaled(unit, interval), f"{says}: {numbers} {unit.unit}, {kind}")
    return Row(says, numbers, (mark,), points)


def _points(unit: Unit, compared: ComparisonOutcome, by_seed: Mapping[str, Mapping[int, float]]) -> Points:
    digits = unit.digits(compared.decision.told)
    return tuple(
        (unit.scale * value, f"{compared.says}, seed {seed}: {unit.signed(value, digits)}")
        for seed, value in by_seed[compared.cell].items()
    )


def scaled(unit: Unit, interval: Interval | None) -> tuple[float, float] | None:
    """An interval's ends in the unit of an axis."""
    return None if interval is None else (unit.scale * interval.low, unit.scale * interval.high)


def _spoken(says: str, decision: Decision, unit: Unit) -> str:
    verdict = decision.verdict or "no verdict"
    if decision.value is None:
        return f"{says}: no answer."
    return f"{says}: {unit.signed(decision.value, unit.digits(decision.told))} {unit.unit}, {verdict}."


def scores(outcome: Outcome, beside: Beside) -> Drawing | None:
    """Every cell's seeds and their mean; None where no run has finished."""
    unit = unit_of_study(outcome)
    by_cell = {cell.name: cell.scores(outcome.metric) for cell in outcome.cells}
    if not any(by_cell.values()):
        return None
    data = [
        (cell.name, run.seed, run.status, by_cell[cell.name].get(run.seed))
        for cell in outcome.cells
        for run in cell.runs
    ]
    add_csv(beside, "scores", ("cell", "seed", "status", outcome.metric), data)
    rows = [_score(outcome, unit, cell, by_cell[cell.name]) for cell in outcome.cells]
    means = [cell for cell in outcome.cells if cell.score.mean is not None]
    first = means[0]
    axis = f"{unit.title}, {unit.value_unit}; line: {first.name}".replace(", ;", ";")
    styles = dict.fromkeys((_MEAN, _ALONE), Style("accent", "circle"))
    chart = Rows(rows, styles, axis, origin=unit.scale * float(first.score.mean or 0.0))
    alt = f"{unit.title} of every seed. " + " ".join(
        _spoken_score(unit, cell, by_cell[cell.name]) for cell in outcome.cells
    )
    title = f"{unit.title.capitalize()} of every seed, {unit.value_unit}"
    return drawing("scores", title, alt, beside, chart.wide(), chart.tall())


def _score(outcome: Outcome, unit: Unit, cell: CellOutcome, by_seed: dict[int, float]) -> Row:
    score, digits = cell.score, unit.digits(cell.score.interval)
    if score.mean is None:
        return Row(cell.name, "no score", ())
    written = unit.value(score.mean, digits)
    numbers = f"{written} {unit.interval(score.interval, digits)}" if score.interval else written
    if score.n != len(outcome.seeds):
        numbers += f", {seeds(cell)}"
    kind = _MEAN if any(each.score.interval for each in outcome.cells) else _ALONE
    mark = Mark(kind, unit.scale * score.mean, scaled(unit, score.interval), f"{cell.name}: {numbers}")
    points = [
        (unit.scale * value, f"{cell.name}, seed {seed}: {unit.value(value, digits)}")
        for seed, value in by_seed.items()
    ]
    return Row(cell.name, numbers, (mark,), tuple(points))


def _spoken_score(unit: Unit, cell: CellOutcome, by_seed: dict[int, float]) -> str:
    digits = unit.digits(cell.score.interval)
    values = ", ".join(unit.value(value, digits) for value in by_seed.values())
    return f"{cell.name}: {values or 'none'}."
