"""The cost of a score: every cell's mean against parameters, FLOPs, measured time and memory, one picture a cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vitlab.records.outcome import IN_TIME, CellOutcome, Outcome
from vitlab.report.answers import short_names
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import TALL, Drawing, drawing
from vitlab.report.charts.lines import Axis
from vitlab.report.charts.scatter import Point, Scatter
from vitlab.report.study_tables import COSTS
from vitlab.report.tables import add_csv
from vitlab.report.units import Unit, unit_of_study

SHARED = 0.01  # costs that differ by less of their size are one
_SPREAD = 20.0  # between the smallest and the largest, from which on the axis is logarithmic
_NAMED = 12  # cells of which all are named: of more the front, and the first
_DESK = 470  # pixels, of one of two abreast
# Vega's expressions for the numbers beside an axis
LABELS = {
    "num_params": "format(datum.value, ',')",
    "flops": "replace(format(datum.value, '.3~s'), 'k', ' k')",
    "seconds_per_image": "format(1e6 * datum.value, ',.4~r')",
    "seconds_per_step": "format(1e3 * datum.value, ',.4~r')",
    "activation_bytes": "format(datum.value / 1024, ',.4~r') + ' KiB'",
}


@dataclass(frozen=True)
class Choice:
    """Charts of which a reader sees one: the same scores against several costs."""

    name: str
    drawings: tuple[Drawing, ...]


def tradeoffs(outcome: Outcome, beside: Beside) -> tuple[list[Choice], list[str]]:
    """A chart of every cost that differs between cells, those that are counted and those that are measured; and a
    sentence for every other.
    """
    scored = [cell for cell in outcome.cells if cell.score.mean is not None]
    _save_data(outcome, beside)
    drawings: dict[str, Drawing] = {}
    said: list[str] = []
    unknown: list[str] = []
    for cost in COSTS:
        values = [value for cell in scored if (value := cell.costs[cost]) is not None]
        if len(scored) < 2:
            continue
        if cost not in outcome.fronts:
            unknown.append(COSTS[cost][0])
        elif max(values) <= (1 + SHARED) * min(values):
            said.append(_shared(cost, values))
        else:
            drawings[cost] = _draw(outcome, scored, cost, beside)
    if unknown:
        said.append(f"{', '.join(unknown)}: not known well enough of every cell, so not drawn.")
    counted = tuple(drawing for cost, drawing in drawings.items() if cost not in IN_TIME)
    measured = tuple(drawing for cost, drawing in drawings.items() if cost in IN_TIME)
    choices = (Choice("counted", counted), Choice("measured", measured))
    return [choice for choice in choices if choice.drawings], said


def _shared(cost: str, values: Sequence[float]) -> str:
    title, _, write = COSTS[cost]
    low, high = write(min(values)), write(max(values))
    told = f"{low} in every cell" if low == high else f"{low} to {high}, within 1 % of each other"
    return f"{title}: {told}, so not drawn."


def _draw(outcome: Outcome, scored: Sequence[CellOutcome], cost: str, beside: Beside) -> Drawing:
    title, axis, write = COSTS[cost]
    unit, front = unit_of_study(outcome), outcome.fronts[cost]
    names = short_names(outcome)
    points = [_point(unit, cell, cost, names[cell.name], cell.name in front) for cell in scored]
    named = len(points) if len(points) <= _NAMED else 1  # the first is what the others are compared with
    points[:named] = [replace(point, named=True) for point in points[:named]]
    values = [point.x for point in points]
    spread = max(values) > _SPREAD * min(values)
    x = Axis(axis, write, log=spread, labels=LABELS[cost])
    chart = Scatter(sorted(points, key=lambda point: point.x), x, Axis(f"{unit.title}, {unit.value_unit}"))
    alt = f"{unit.title} against {axis}. On the front, the cheapest first: {', '.join(front)}."
    called = title[0].lower() + title[1:] if title[1].islower() else title
    return drawing(f"pareto_{cost}", f"Against {called}", alt, beside, chart.named(_DESK), chart.named(TALL))


def _point(unit: Unit, cell: CellOutcome, cost: str, name: str, first: bool) -> Point:
    title, _, write = COSTS[cost]
    x, y = float(cell.costs[cost] or 0), float(cell.score.mean or 0)
    score = f"{unit.value(y, unit.digits(cell.score.interval))} {unit.value_unit}"
    return Point(f"{name}, {write(x)}", x, unit.scale * y, f"{cell.name}: {score}, {title} {write(x)}", first)


def _save_data(outcome: Outcome, beside: Beside) -> None:
    header = ("cell", outcome.metric, *COSTS, *(f"on_front_{cost}" for cost in COSTS))
    rows = [
        (
            cell.name,
            cell.score.mean,
            *(cell.costs[cost] for cost in COSTS),
            *(
                ("yes" if cell.name in outcome.fronts[cost] else "no") if cost in outcome.fronts else None
                for cost in COSTS
            ),
        )
        for cell in outcome.cells
    ]
    add_csv(beside, "pareto", header, rows)
