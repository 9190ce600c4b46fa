"""The cost of a score: every cell's mean against parameters, FLOPs, measured time and memory, one picture a cost."""

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitlab.base.words import shortened
from vitlab.records.outcome import CellOutcome, Outcome
from vitlab.report.answers import short_names
from vitlab.report.beside import Beside
from vitlab.report.figures import COLOURS, STYLE, Drawing, as_drawing
from vitlab.report.study_tables import COSTS
from vitlab.report.tables import add_csv
from vitlab.report.units import unit_of_study

SHARED = 0.01  # costs that differ by less of their size are one
_SPREAD = 20.0  # between the smallest and the largest, from which on the axis is logarithmic
_SIZE, _NAME_LENGTH = (3.9, 2.9), 26


def tradeoffs(outcome: Outcome, beside: Beside) -> tuple[list[Drawing], list[str]]:
    """A picture of every cost that differs between cells, and a sentence for every other."""
    scored = [cell for cell in outcome.cells if cell.score.mean is not None]
    _save_data(outcome, beside)
    drawings, said = [], []
    for cost in COSTS:
        values = [value for cell in scored if (value := cell.costs[cost]) is not None]
        if len(scored) < 2:
            continue
        if cost not in outcome.fronts:
            said.append(f"{COSTS[cost][0]}: not known of every cell, so not drawn.")
        elif max(values) <= (1 + SHARED) * min(values):
            said.append(_shared(cost, values))
        else:
            drawings.append(_draw(outcome, scored, cost, beside))
    return drawings, said


def _shared(cost: str, values: Sequence[float]) -> str:
    title, _, write = COSTS[cost]
    low, high = write(min(values)), write(max(values))
    told = f"{low} in every cell" if low == high else f"{low} to {high}, within 1 % of each other"
    return f"{title}: {told}, so not drawn."


def _draw(outcome: Outcome, scored: Sequence[CellOutcome], cost: str, beside: Beside) -> Drawing:
    title, axis, write = COSTS[cost]
    unit, front = unit_of_study(outcome), outcome.fronts[cost]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.margins(x=0.08, y=0.12)
        points = {
            cell.name: (float(cell.costs[cost] or 0), unit.scale * float(cell.score.mean or 0)) for cell in scored
        }
        _points(axes, points, front)
        values = [x for x, _ in points.values()]
        if max(values) > _SPREAD * min(values):
            axes.set_xscale("log")
        else:
            axes.locator_params(axis="x", nbins=4)
        axes.xaxis.set_major_formatter(lambda value, _: write(value))
        axes.set_xlabel(axis)
        axes.set_ylabel(f"{unit.title}, {unit.value_unit}")
        _names(axes, {short_names(outcome)[name]: points[name] for name in front})
        alt = f"{unit.title} against {axis}. On the front, the cheapest first: {', '.join(front)}."
        return as_drawing(
            figure,
            f"pareto_{cost}",
            f"Against {title[0].lower() + title[1:] if title[1].islower() else title}",
            alt,
            beside,
        )


def _points(axes: Axes, points: dict[str, tuple[float, float]], front: Sequence[str]) -> None:
    """The front as filled points on a stair, the others hollow."""
    others = [point for name, point in points.items() if name not in front]
    stair = [points[name] for name in front]
    axes.step(*zip(*stair, strict=True), where="post", color=COLOURS["accent"], linewidth=1, alpha=0.7)
    axes.plot(*zip(*stair, strict=True), "D", color=COLOURS["accent"], markersize=5.5)
    if others:
        axes.plot(*zip(*others, strict=True), "o", color=COLOURS["muted"], markerfacecolor="none", markersize=5)


def _names(axes: Axes, points: dict[str, tuple[float, float]]) -> None:
    """The points' names, on the side that has more room, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    gap, place = 0.085 * (high - low), float("-inf")
    for name in sorted(points, key=lambda name: points[name][1]):
        x, y = points[name]
        place = max(y, place + gap)
        left = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[0] < 0.5
        axes.annotate(
            shortened(name, _NAME_LENGTH),
            (x, place),
            (7 if left else -7, 0),
            textcoords="offset points",
            ha="left" if left else "right",
            va="center",
            fontsize=8,
            bbox={"facecolor": COLOURS["paper"], "linewidth": 0, "pad": 0.5},
        )
    axes.set_ylim(low, max(high, place + gap / 2))


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
