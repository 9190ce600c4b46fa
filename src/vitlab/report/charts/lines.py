"""Charts of curves: a few in one frame, each named where it ends or in a legend; or a small frame for each of many."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log10
from typing import Any

import altair as alt
import numpy as np

from vitlab.base.words import shortened
from vitlab.report.charts.drawing import CARD, TALL, WIDE, Chart, data_of
from vitlab.report.charts.names import LETTER, beside, names_beside
from vitlab.report.charts.near import spanned
from vitlab.report.charts.theme import COLOURS

Points = np.ndarray  # [points, 2]: x and y
Write = Callable[[float], str]
Domains = tuple[tuple[float, float], tuple[float, float]]  # of x and y

_HEIGHT = 170  # pixels, of a frame
_AXIS = 44  # pixels that the numbers beside a frame take
_MARGIN = 0.06  # of the axis, above and below what is drawn
_BETWEEN = 14  # pixels, from one small frame to the next
_QUIET: dict[str, Any] = {"aria": False, "clip": True}  # of lines: what is said is said by their points
_FAINT: dict[str, Any] = {"strokeWidth": 0.7, "opacity": 0.45, **_QUIET}  # of single seeds
_SMALL_HEIGHT, _WIDE_COLUMNS, _TALL_COLUMNS = 70, 4, 2
_SMALL_NAMES = {_WIDE_COLUMNS: 36, _TALL_COLUMNS: 25}  # characters


@dataclass(frozen=True)
class Line:
    """A curve with its name; `faint` are those of single seeds, of which it is the mean."""

    name: str
    points: Points
    colour: str  # a name of the theme
    dash: tuple[int, ...] = ()
    width: float = 1.8
    faint: tuple[Points, ...] = ()


@dataclass(frozen=True)
class Axis:
    """An axis: its title, how its values are written, the least that it shows."""

    title: str
    write: Write = "{:.4g}".format
    bottom: float | None = None
    log: bool = False
    ticks: tuple[float, ...] | None = None
    labels: str = "format(datum.value, ',')"  # a Vega expression: how its numbers are written
    unit: str = ""  # of its values, where one is said alone
    room: int = 0  # pixels that its numbers take at least, so that frames above one another begin at one place

    def said(self, value: float) -> str:
        """A value with its unit."""
        return f"{self.write(value)} {self.unit}".rstrip()

    def domain(self, values: Iterable[float]) -> tuple[float, float]:
        """What the axis spans, with a margin."""
        known = [value for value in values if np.isfinite(value)]
        low, high = min(known, default=0.0), max(known, default=1.0)
        if self.log:
            reach = (high / low) ** _MARGIN if high > low else 1.5
            return low / reach, high * reach
        low, high = spanned(low, high)
        margin = _MARGIN * (high - low)
        return (low - margin if self.bottom is None else self.bottom), high + margin

    def place(self, value: float, domain: tuple[float, float]) -> float:
        """0 at the lower end, 1 at the upper."""
        low, high = domain
        return log(value / low) / log(high / low) if self.log else (value - low) / (high - low)

    def scaled(self, domain: tuple[float, float], ticks: int) -> dict[str, Any]:
        """The scale of a channel, and its axis."""
        kind = {"type": "log"} if self.log else {}
        scale = alt.Scale(domain=list(domain), nice=False, zero=False, **kind)
        written = {"labelExpr": self.labels, **({"minExtent": self.room} if self.room else {})}
        if self.ticks is not None or self.log:
            values = self.ticks or _decades(domain)
            return {"scale": scale, "axis": alt.Axis(values=list(values), **written)}
        return {"scale": scale, "axis": alt.Axis(tickCount=ticks, **written)}


def _decades(domain: tuple[float, float]) -> list[float]:
    """Powers of ten within a part of an axis; where there are at most two, also twice and five times these."""
    powers = [10.0**power for power in range(floor(log10(domain[0])), ceil(log10(domain[1])) + 1)]
    within = [
        [m * power for power in powers for m in ms if domain[0] <= m * power <= domain[1]] for ms in ((1,), (1, 2, 5))
    ]
    return within[0] if len(within[0]) > 2 else within[1]


@dataclass(frozen=True)
class Frame:
    """Curves in one frame, with what stands above it. `rings`: points that are to be noticed, with what they say."""

    lines: Sequence[Line]
    x: Axis
    y: Axis
    rings: Sequence[tuple[float, float, str]] = ()
    title: str = ""

    def plain(self, width: int = CARD, height: int = _HEIGHT) -> Chart:
        """A single curve, which needs no name."""
        return self._frame(width - _AXIS, height, None)

    def named_at_ends(self, width: int = CARD, height: int = _HEIGHT, room: int = 0) -> Chart:
        """Every curve named beside its last point; names that would cover one another move apart. `room`: pixels that
        the names take at least.
        """
        _, domain = self.domains()
        ends = [
            (line.name, height * (1 - self.y.place(float(line.points[-1, 1]), domain)), line.colour)
            for line in self.lines
            if len(line.points)
        ]
        column, taken = names_beside(ends, height, room)
        return beside(self._frame(width - taken - _AXIS, height, None), column)

    def with_legend(self, width: int = CARD, height: int = _HEIGHT) -> Chart:
        """Every curve named below the frame."""
        longest = max(len(line.name) for line in self.lines)
        columns = max(1, int(width / (LETTER * longest + 30)))
        return self._frame(width - _AXIS, height, alt.Legend(columns=columns, symbolSize=300))

    def domains(self) -> Domains:
        """What both axes span."""
        drawn = [points for line in self.lines for points in (line.points, *line.faint) if len(points)]
        every = np.concatenate(drawn)
        x = (float(every[:, 0].min()), float(every[:, 0].max()))
        return (x if not self.x.log and x[0] < x[1] else self.x.domain(x)), self.y.domain(every[:, 1])

    def _frame(self, width: int, height: int, legend: alt.Legend | None) -> alt.LayerChart:
        domains = self.domains()
        x = alt.X("x:Q", title=self.x.title, **self.x.scaled(domains[0], max(3, width // 50)))
        y = alt.Y("y:Q", title=None, **self.y.scaled(domains[1], max(3, height // 40)))
        names = [line.name for line in self.lines]
        colours = [COLOURS.get(line.colour, line.colour) for line in self.lines]
        colour = alt.Color("name:N", legend=legend, scale=alt.Scale(domain=names, range=colours))
        dashes = [list(line.dash) or [1, 0] for line in self.lines]
        dash = alt.StrokeDash("name:N", legend=legend, scale=alt.Scale(domain=names, range=dashes))
        layers = [seeds.encode(x=x, y=y, color=colour) for seeds in _seeds(self.lines)]
        for line in self.lines:
            curve = alt.Chart(data_of(_means(line, self.x, self.y))).encode(x=x, y=y)
            drawn = curve.mark_line(strokeWidth=line.width, **_QUIET)
            layers += [
                drawn.encode(x=x, y=y, color=colour, strokeDash=dash),
                _said(curve, line.colour).encode(x=x, y=y),
            ]
        if legend is None:
            layers += list(self._to_the_edge(x, y, colour, domains[0][1]))
        if self.rings:
            noticed = alt.Chart(data_of([{"x": at, "y": value, "says": says} for at, value, says in self.rings]))
            layers.append(
                noticed.mark_point(size=90, strokeWidth=2, color=COLOURS["second"], opacity=1).encode(
                    x=x, y=y, description="says:N"
                )
            )
        titled = {"title": self.title} if self.title else {}
        return alt.layer(*layers).properties(width=width, height=height, **titled)

    def _to_the_edge(self, x: alt.X, y: alt.Y, colour: alt.Color, edge: float) -> Iterator[alt.Chart]:
        """From curves that end early, lines on to where their names are."""
        early = [
            {"name": line.name, "x": float(line.points[-1, 0]), "y": float(line.points[-1, 1]), "edge": edge}
            for line in self.lines
            if len(line.points) and line.points[-1, 0] < edge
        ]
        if early:
            on = alt.Chart(data_of(early)).mark_rule(strokeWidth=0.8, strokeDash=[1, 3], aria=False)
            yield on.encode(x=x, x2="edge:Q", y=y, color=colour)


@dataclass(frozen=True)
class Frames:
    """A small frame for each of many curves, with the one that all are compared with in every frame, dashed."""

    lines: Sequence[Line]
    reference: Line
    x: Axis
    y: Axis

    def wide(self) -> Chart:
        """For a desk, and for a paper."""
        return self._grid(WIDE, _WIDE_COLUMNS)

    def tall(self) -> Chart:
        """For a telephone."""
        return self._grid(TALL, _TALL_COLUMNS)

    def _grid(self, width: int, columns: int) -> Chart:
        """Rows of frames, all with the same axes; numbers stand beside the first of a row and below the last row."""
        domains = Frame([*self.lines, self.reference], self.x, self.y).domains()
        x = alt.X("x:Q", title=self.x.title, **self.x.scaled(domains[0], 3))
        y = alt.Y("y:Q", title=None, **self.y.scaled(domains[1], 3))
        # What has data of its own stands in every frame
        before = alt.Chart(data_of(_means(self.reference, self.x, self.y)))
        before = before.mark_line(strokeWidth=1.5, strokeDash=[4, 3], color=COLOURS["muted"], **_QUIET)
        seed, curve = (alt.Chart().transform_filter(f"{sign}isValid(datum.seed)") for sign in ("", "!"))
        seeds = seed.encode(detail="seed:N").mark_line(color=COLOURS["accent"], **_FAINT)
        mean = curve.mark_line(strokeWidth=1.8, color=COLOURS["accent"], **_QUIET)
        said = _said(curve, "accent")
        layers = [layer.encode(x=x, y=y) for layer in (before, seeds, mean, said)]
        each = (width - _AXIS) // columns - _BETWEEN
        small = alt.layer(*layers, data=data_of(self._rows())).properties(width=each, height=_SMALL_HEIGHT)
        names = json.dumps([shortened(line.name, _SMALL_NAMES[columns]) for line in self.lines])
        header = alt.Header(labelExpr=f"{names}[datum.value]", labelAnchor="start", labelPadding=3)
        return small.facet(alt.Facet("frame:O", header=header), columns=columns, spacing={"row": 8, "column": _BETWEEN})

    def _rows(self) -> Iterator[dict[str, str | float]]:
        for frame, line in enumerate(self.lines):
            for row in (*_means(line, self.x, self.y), *_of_seeds([line])):
                yield {"frame": frame, **row}


def _said(curve: alt.Chart, colour: str) -> alt.Chart:
    """What the points of a curve say when they are pointed at; only a lone one is seen."""
    points = curve.mark_point(size=40, filled=True, color=COLOURS.get(colour, colour))
    return points.encode(description="says:N", opacity=alt.Opacity("seen:Q", scale=None))


def _means(line: Line, x: Axis, y: Axis) -> Iterator[dict[str, str | float]]:
    """A curve's points, with what each says when it is pointed at, and whether it is seen then."""
    for at, value in line.points:
        if np.isfinite(value):
            yield {
                "name": line.name,
                "x": float(at),
                "y": float(value),
                "says": f"{line.name}, {x.title} {x.write(float(at))}: {y.said(float(value))}".removeprefix(", "),
                "seen": float(len(line.points) == 1),
            }


def _seeds(lines: Sequence[Line]) -> list[alt.Chart]:
    """Single seeds, faintly, as one chart; none where there are none."""
    rows = list(_of_seeds(lines))
    return [alt.Chart(data_of(rows)).encode(detail="seed:N").mark_line(**_FAINT)] if rows else []


def _of_seeds(lines: Sequence[Line]) -> Iterator[dict[str, str | float]]:
    for line in lines:
        for number, seed in enumerate(line.faint):
            for at, value in seed:
                yield {"name": line.name, "seed": f"{line.name} {number}", "x": float(at), "y": float(value)}
