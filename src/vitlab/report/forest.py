"""Two pictures of a study with a row a cell: differences with their intervals, and the scores of all seeds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vitlab.base.words import shortened
from vitlab.records.outcome import ComparisonOutcome, Outcome
from vitlab.report.answers import ordered, seeds
from vitlab.report.beside import Beside
from vitlab.report.figures import COLOURS, STYLE, Drawing, as_drawing
from vitlab.report.tables import add_csv
from vitlab.report.units import Unit, half, unit_of_study
from vitlab.stats.decision import Verdict

WIDTH, _ROW, _FOOT = 5.0, 0.44, 0.75  # inches: of the figure, of a row, of the axis and what stands under it
_NAME_LENGTH = 46  # characters beside which the numbers fit
_LINE, _POINTS = 0.02, 0.24  # of a row, downwards from its middle: the interval, the seeds


class Style(NamedTuple):
    """How an estimate is marked: a colour's name, a marker, and whether that is filled."""

    colour: str
    marker: str
    filled: bool = True

    @property
    def face(self) -> str:
        """What the marker is filled with."""
        return COLOURS[self.colour if self.filled else "paper"]


# A verdict is told by colour and by shape
STYLES: dict[Verdict | None, Style] = {
    "worse": Style("second", "v"),
    "better": Style("accent", "^"),
    "not distinguishable": Style("muted", "o", filled=False),
    "no difference worth having": Style("muted", "D"),
}
_UNTESTED, _SEED = Style("muted", "x"), Style("muted", "o")


def differences(outcome: Outcome, beside: Beside) -> Drawing | None:
    """Every comparison's difference with its interval, and the cell's seeds less the other's mean; None where nothing
    can be compared.
    """
    shown = ordered(outcome)
    if all(compared.decision.value is None for compared in shown):
        return None
    unit = unit_of_study(outcome)
    by_seed = {compared.cell: _by_seed(outcome, compared) for compared in shown}
    rows = [
        (compared.cell, compared.against, seed, value)
        for compared in shown
        for seed, value in by_seed[compared.cell].items()
    ]
    add_csv(beside, "differences", ("cell", "against", "seed", "difference"), rows)
    with matplotlib.rc_context({**STYLE, "axes.grid.axis": "x"}):
        figure, axes = rows_figure(len(shown))
        axes.axvline(0, color=COLOURS["ink"], linewidth=0.9)
        for row, compared in enumerate(shown):
            values = [unit.scale * value for value in by_seed[compared.cell].values()]
            _difference(axes, row, compared, unit, values)
        axes.set_xlabel(f"difference in {unit.title}, {unit.unit} ({unit.direction})")
        seen = {compared.decision.verdict for compared in shown}
        styles = {str(verdict): style for verdict, style in STYLES.items() if verdict in seen}
        legend(figure, styles | {"a seed": _SEED})
        spoken = " ".join(_spoken(compared, unit) for compared in shown)
        alt = f"Differences in {unit.title} with the intervals of their verdicts. {spoken}"
        title = f"Differences in {unit.title}, {unit.unit}"
        return as_drawing(figure, "differences", title, alt, beside)


def _by_seed(outcome: Outcome, compared: ComparisonOutcome) -> dict[int, float]:
    other = outcome.cell(compared.against).score.mean
    return (
        {}
        if other is None
        else {seed: score - other for seed, score in outcome.cell(compared.cell).scores(outcome.metric).items()}
    )


def _difference(axes: Axes, row: int, compared: ComparisonOutcome, unit: Unit, by_seed: Sequence[float]) -> None:
    decision = compared.decision
    interval = decision.quoted or decision.interval
    digits = unit.digits_beside(interval)
    if decision.value is None:
        label_row(axes, row, compared.says, "no answer")
        return
    written = unit.signed(decision.value, digits)
    label_row(
        axes, row, compared.says, f"{written} {unit.interval(interval, digits, signed=True)}" if interval else written
    )
    ends = None if interval is None else (unit.scale * interval.low, unit.scale * interval.high)
    style = STYLES.get(decision.verdict, _UNTESTED)
    estimate(axes, row + _LINE, style, unit.scale * decision.value, ends)
    dots(axes, row, by_seed)


def _spoken(compared: ComparisonOutcome, unit: Unit) -> str:
    mean = compared.decision.value
    verdict = compared.decision.verdict or "no verdict"
    told = "no answer" if mean is None else f"{unit.signed(mean)} {unit.unit}, {verdict}"
    return f"{compared.says}: {told}."


def scores(outcome: Outcome, beside: Beside) -> Drawing | None:
    """Every cell's seeds and their mean; None where no run has finished."""
    unit = unit_of_study(outcome)
    by_cell = {cell.name: cell.scores(outcome.metric) for cell in outcome.cells}
    if not any(by_cell.values()):
        return None
    rows = [
        (cell.name, run.seed, run.status, by_cell[cell.name].get(run.seed))
        for cell in outcome.cells
        for run in cell.runs
    ]
    add_csv(beside, "scores", ("cell", "seed", "status", outcome.metric), rows)
    digits = unit.digits(*(half(cell.score.interval) for cell in outcome.cells))
    with matplotlib.rc_context({**STYLE, "axes.grid.axis": "x"}):
        figure, axes = rows_figure(len(outcome.cells), foot=0.5)
        first = outcome.cells[0].score.mean
        if first is not None:
            axes.axvline(unit.scale * first, color=COLOURS["muted"], linewidth=0.9, linestyle=(0, (4, 3)))
        for row, cell in enumerate(outcome.cells):
            mean = cell.score.mean
            number = "" if cell.score.n == len(outcome.seeds) else f", {seeds(cell)}"
            label_row(axes, row, cell.name, "no score" if mean is None else unit.value(mean, digits) + number)
            if mean is not None:
                ends = (row - 0.06, row + 0.42)
                axes.plot([unit.scale * mean] * 2, ends, color=COLOURS["accent"], linewidth=2.2, zorder=3)
                dots(axes, row, [unit.scale * value for value in by_cell[cell.name].values()], at=0.18, size=22)
        axes.set_xlabel(
            f"{unit.title}, {unit.value_unit}; bar: mean, dots: seeds, dashed: {shortened(outcome.cells[0].name, 24)}"
        )
        alt = f"{unit.title} of every seed. " + " ".join(
            _spoken_score(outcome, unit, name, by_cell[name]) for name in by_cell
        )
        return as_drawing(figure, "scores", f"{unit.title.capitalize()} of every seed, {unit.value_unit}", alt, beside)


def _spoken_score(outcome: Outcome, unit: Unit, name: str, by_seed: dict[int, float]) -> str:
    values = ", ".join(unit.value(value) for value in by_seed.values())
    return f"{name}: {values or 'none'}."


# ---------------------------------------------------------------------------------------------------------- the rows


def rows_figure(rows: int, foot: float = _FOOT) -> tuple[Figure, Axes]:
    """A figure with a line of text and a band for marks in every row, the first at the top."""
    height = _ROW * rows + foot
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0.01, foot / height, 0.98, 1 - foot / height), ylim=(rows - 0.5, -0.5))
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(8)
    axes.margins(x=0.04)
    return figure, axes


def label_row(axes: Axes, row: int, name: str, numbers: str) -> None:
    """What the row is, at its left, and its numbers, at its right; above what is drawn."""
    for at, side, colour, text in (
        (0.0, "left", "ink", shortened(name, _NAME_LENGTH)),
        (1.0, "right", "muted", numbers),
    ):
        axes.text(
            at,
            row - 0.26,
            text,
            transform=axes.get_yaxis_transform(),
            ha=side,
            va="center",
            fontsize=8.5,
            color=COLOURS[colour],
            bbox={"facecolor": COLOURS["paper"], "linewidth": 0, "pad": 1},  # lines of the axis end at the text
        )


def estimate(axes: Axes, at: float, style: Style, mean: float, interval: tuple[float, float] | None) -> None:
    """A mean with its interval, at some height."""
    if interval is not None:
        axes.plot(interval, (at, at), color=COLOURS[style.colour], linewidth=2)
    axes.plot(mean, at, style.marker, color=COLOURS[style.colour], markerfacecolor=style.face, markersize=6.5, zorder=3)


def dots(axes: Axes, row: int, values: Sequence[float], at: float = _POINTS, size: float = 10) -> None:
    """One dot a seed."""
    axes.scatter(values, np.full(len(values), row + at), s=size, color=COLOURS["muted"], alpha=0.55, linewidths=0)


def legend(figure: Figure, styles: Mapping[str, Style]) -> None:
    """What the marks mean, below the axis."""
    handles = [
        Line2D(
            [],
            [],
            color=COLOURS[style.colour],
            marker=style.marker,
            markersize=3.5 if style is _SEED else 6,
            markerfacecolor=style.face,
            linewidth=0 if style is _SEED else 2,
            label=label,
        )
        for label, style in styles.items()
    ]
    figure.legend(handles=handles, loc="lower center", ncols=4, frameon=False, fontsize=8, handlelength=1.6)
