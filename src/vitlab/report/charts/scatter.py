"""A chart of points, some of which are named in a column beside it: no name covers a point."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import altair as alt

from vitlab.base.words import shortened
from vitlab.report.charts.drawing import Chart, data_of
from vitlab.report.charts.lines import Axis
from vitlab.report.charts.names import beside, names_beside
from vitlab.report.charts.near import nearer
from vitlab.report.charts.theme import COLOURS

_HEIGHT, _AXIS = 210, 50  # pixels
_NAME_LENGTH = 36  # characters


@dataclass(frozen=True)
class Point:
    """A thing at x and y; `first` ones are filled and joined by a stair. These and `named` ones have their names beside
    the frame.
    """

    name: str
    x: float
    y: float
    says: str
    first: bool = False
    named: bool = False

    @property
    def has_name(self) -> bool:
        """Whether its name stands beside the frame."""
        return self.first or self.named


@dataclass(frozen=True)
class Scatter:
    """Points of two kinds."""

    points: Sequence[Point]
    x: Axis
    y: Axis

    def named(self, width: int) -> Chart:
        """With names beside it, each joined to its point."""
        across, down = self.x.domain(point.x for point in self.points), self._down()
        ends = [
            (shortened(point.name, _NAME_LENGTH), _HEIGHT * (1 - self.y.place(max(point.y, down[0]), down)), "ink")
            for point in self.points
            if point.has_name
        ]
        column, taken = names_beside(ends, _HEIGHT)
        return beside(self._frame(width - taken - _AXIS, across, down), column)

    def _down(self) -> tuple[float, float]:
        """The part of the vertical axis that is shown: not as far as what would squeeze all others."""
        best = max(point.y for point in self.points if point.first)
        return nearer([(point.y, point.y) for point in self.points], best) or self.y.domain(p.y for p in self.points)

    def _frame(self, width: int, across: tuple[float, float], down: tuple[float, float]) -> alt.LayerChart:
        x = alt.X("x:Q", title=self.x.title, **self.x.scaled(across, max(2, width // 80)))
        y = alt.Y("y:Q", title=self.y.title, **self.y.scaled(down, 5))
        within = [vars(point) for point in self.points if down[0] <= point.y <= down[1]]
        every = alt.Chart(data_of(within)).encode(x=x, y=y)
        stair = every.transform_filter("datum.first").mark_line(
            interpolate="step-after", strokeWidth=1, color=COLOURS["accent"], opacity=0.7, aria=False
        )
        fill = alt.Fill("first:N", legend=None, scale=_of_two("accent", "paper"))
        colour = alt.Color("first:N", legend=None, scale=_of_two("accent", "muted"))
        shape = alt.Shape("first:N", legend=None, scale=alt.Scale(domain=[True, False], range=["diamond", "circle"]))
        marks = every.mark_point(size=55, strokeWidth=1.5, opacity=1)
        marks = marks.encode(fill=fill, color=colour, shape=shape, description="says:N")
        layers = [self._leaders(x, y, across[1], down), stair, marks, *self._beyond(x, y, down)]
        return alt.layer(*layers).properties(width=width, height=_HEIGHT)

    def _leaders(self, x: alt.X, y: alt.Y, edge: float, down: tuple[float, float]) -> alt.Chart:
        """From points to where their names are."""
        rows = [
            {"x": point.x, "edge": edge, "y": max(point.y, down[0]), "name": point.name}
            for point in self.points
            if point.has_name
        ]
        lines = alt.Chart(data_of(rows)).mark_rule(
            strokeWidth=0.8, strokeDash=[1, 3], color=COLOURS["muted"], opacity=0.7, aria=False
        )
        return lines.encode(x=x, x2="edge:Q", y=y)

    def _beyond(self, x: alt.X, y: alt.Y, down: tuple[float, float]) -> Iterator[alt.Chart]:
        """At the edge, arrows to what lies beyond it."""
        for shape, edge, side in (("triangle-down", down[0], -1), ("triangle-up", down[1], 1)):
            points = [point for point in self.points if side * (point.y - edge) > 0]
            rows = [{"x": point.x, "y": edge, "says": f"{point.says}, beyond this axis"} for point in points]
            if rows:
                marks = alt.Chart(data_of(rows)).mark_point(shape=shape, size=60, opacity=1, strokeWidth=1.5)
                yield marks.encode(
                    x=x,
                    y=y,
                    color=alt.value(COLOURS["muted"]),
                    fill=alt.value(COLOURS["paper"]),
                    description="says:N",
                )


def _of_two(first: str, other: str) -> alt.Scale:
    return alt.Scale(domain=[True, False], range=[COLOURS[first], COLOURS[other]])
