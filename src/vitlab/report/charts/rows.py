"""Charts with a row for each thing: its name in a column to the left, its numbers to the right, its marks between.

On a telephone the name and the numbers stand above the marks, and no line passes through them. Where one row would
squeeze the others, a second frame shows these larger; what reaches beyond it ends in an arrow.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import altair as alt

from vitlab.base.words import shortened
from vitlab.report.charts.drawing import TALL, WIDE, Chart, data_of
from vitlab.report.charts.near import Domain, nearer, spanned
from vitlab.report.charts.theme import COLOURS, NORMAL, SMALL

NAME_LENGTH = 48  # characters, in either form
SEED = "a seed"
_LETTER = 0.53 * NORMAL  # pixels, on average
_GAP = 22  # pixels between columns
_STEP, _TALL_STEP = 32, 66  # pixels of a row
_APART = 13  # pixels between several estimates in one row
_BELOW_TEXT = 30  # pixels, of a row on a telephone: what its name and its numbers take
_ABOVE_AXIS = 6  # pixels, from the line of the last row on a telephone to the numbers of the axis
_MIDDLE = 10  # of a row, from its top: where its texts and its first estimate stand
_LINE, _LINE_LENGTH = 13, 42  # pixels from one line of a name to the next; characters of one
# Of bands in any case: with points alone and no interval the renderer would measure from the middle of a row
_Y = alt.Y("row:O", axis=None, scale=alt.Scale(type="band"))
_SAID = {"text": "text:N", "description": "text:N"}


class Style(NamedTuple):
    """How an estimate is marked: a colour's name, a shape, and whether that is filled."""

    colour: str
    shape: str
    filled: bool = True

    @property
    def fill(self) -> str:
        """The colour inside."""
        return COLOURS[self.colour if self.filled else "paper"]


@dataclass(frozen=True)
class Mark:
    """An estimate with its interval, in the unit of the axis; `says` is what it is, in words."""

    kind: str  # of its style
    value: float
    ends: tuple[float, float] | None
    says: str


@dataclass(frozen=True)
class Row:
    """A thing, its numbers as text, its marks; `points` are what its seeds scored, with words for each."""

    name: str
    numbers: str
    marks: tuple[Mark, ...]
    points: tuple[tuple[float, str], ...] = ()

    def extent(self) -> Domain:
        """From the lowest to the highest of what is drawn."""
        drawn = [value for mark in self.marks for value in (mark.value, *(mark.ends or ()))]
        drawn += [value for value, _ in self.points]
        return (min(drawn), max(drawn)) if drawn else None


@dataclass(frozen=True)
class Rows:
    """A chart of rows. `origin` is where its line stands: what the values are compared with."""

    rows: Sequence[Row]
    styles: Mapping[str, Style]
    axis: str  # its title
    origin: float

    def wide(self) -> Chart:
        """For a desk, and for a paper."""
        names = [_lines(row.name) for row in self.rows]
        numbers = [[row.numbers] for row in self.rows]
        domains = [None, near] if (near := self.near()) else [None]
        room = WIDE - _width(names) - _width(numbers) - (1 + len(domains)) * _GAP
        frames = [self._frame(domain, round(room / len(domains)), _STEP) for domain in domains]
        return self._together(alt.hconcat(_column(names), *frames, _column(numbers), spacing=_GAP))

    def tall(self) -> Chart:
        """For a telephone."""
        domains = [None, near] if (near := self.near()) else [None]
        step = _TALL_STEP + self._second_line
        frames = [alt.layer(self._frame(domain, TALL, step), *self._above()) for domain in domains]
        return self._together(alt.vconcat(*frames, spacing=_GAP))

    @property
    def _second_line(self) -> int:
        """Pixels that names take on a telephone beyond one line, in every row alike."""
        return _LINE if any(len(row.name) > NAME_LENGTH for row in self.rows) else 0

    def near(self) -> Domain:
        """The part of the axis in which all rows lie but those that squeeze them; None where none does."""
        return nearer([extent for row in self.rows if (extent := row.extent())], self.origin)

    def _ends(self) -> tuple[float, float]:
        """From the lowest to the highest of what is drawn in any row, and of the line."""
        ends = [self.origin, *(end for row in self.rows for end in row.extent() or ())]
        return spanned(min(ends), max(ends))

    def _together(self, chart: alt.HConcatChart | alt.VConcatChart) -> Chart:
        return chart.resolve_scale(color="shared", fill="shared", shape="shared", y="shared")

    def _frame(self, domain: Domain, width: int, step: int) -> alt.LayerChart:
        """Everything that is drawn, over the whole axis or over a part of it."""
        title = self.axis if domain is None else "the same, larger"
        scale = alt.Scale(domain=self._ends()) if domain is None else alt.Scale(domain=domain, nice=False)
        axis = alt.Axis(tickCount=max(3, width // 60), grid=step == _STEP)
        x = alt.X("value:Q", title=title, scale=scale, axis=axis)
        layers = [self._line(x, step), *self._dots(x, domain, step)]
        for place in range(max(len(row.marks) for row in self.rows)):
            layers += self._estimates(place, x, domain, step)
        return alt.layer(*layers).properties(width=width, height=alt.Step(step))

    def _line(self, x: alt.X, step: int) -> alt.Chart:
        """Where the values begin that they are compared with; between texts, where these stand above the marks."""
        if step == _STEP:
            return alt.Chart(data_of([{"value": self.origin}])).mark_rule(color=COLOURS["ink"], aria=False).encode(x=x)
        pieces = alt.Chart(data_of({"row": index, "value": self.origin} for index in range(len(self.rows))))
        top, bottom = _BELOW_TEXT + self._second_line, step - _ABOVE_AXIS
        piece = pieces.mark_tick(color=COLOURS["ink"], size=bottom - top, thickness=1, aria=False)
        return piece.encode(x=x, y=_Y, yOffset=alt.value((top + bottom) / 2))

    def _dots(self, x: alt.X, domain: Domain, step: int) -> Iterator[alt.Chart]:
        """One dot a seed, below the estimate."""
        dots = [
            {"row": index, "value": value, "says": says, "kind": SEED}
            for index, row in enumerate(self.rows)
            for value, says in row.points
            if _within(value, domain)
        ]
        if dots:
            at = alt.value(step - 8)
            chart = alt.Chart(data_of(dots)).mark_point(size=14, opacity=0.55, strokeWidth=0)
            yield chart.encode(x=x, y=_Y, yOffset=at, description="says:N", **self._styled())

    def _estimates(self, place: int, x: alt.X, domain: Domain, step: int) -> Iterator[alt.Chart]:
        """The estimates that stand at some place of their rows: intervals, then values, then arrows."""
        drawn = [(index, row.marks[place]) for index, row in enumerate(self.rows) if len(row.marks) > place]
        above = _MIDDLE if step == _STEP else _BELOW_TEXT + self._second_line + 8
        at = alt.value(above + _APART * place)
        ends = [
            {"row": index, "kind": mark.kind, "value": low, "to": high}
            for index, mark in drawn
            if mark.ends and (low := _kept(mark.ends[0], domain)) < (high := _kept(mark.ends[1], domain))
        ]
        if ends:
            rules = alt.Chart(data_of(ends)).mark_rule(strokeWidth=2.5, aria=False)
            yield rules.encode(x=x, x2="to:Q", y=_Y, yOffset=at, color=self._styled()["color"])
        values = [
            {"row": index, "kind": mark.kind, "value": mark.value, "says": mark.says}
            for index, mark in drawn
            if _within(mark.value, domain)
        ]
        points = alt.Chart(data_of(values)).mark_point(size=75, strokeWidth=2, opacity=1)
        yield points.encode(x=x, y=_Y, yOffset=at, description="says:N", **self._styled())
        styled = self._styled()
        inside_and_out = {"fill": styled["fill"], "color": styled["color"]}  # without, the legend would fill all kinds
        for shape, arrows in _arrows(drawn, domain):
            pointing = alt.Chart(data_of(arrows)).mark_point(shape=shape, size=40, strokeWidth=2, opacity=1)
            yield pointing.encode(x=x, y=_Y, yOffset=at, description="says:N", **inside_and_out)

    def _styled(self) -> dict[str, Any]:
        """The channels that tell kinds apart, with one legend for all."""
        seen = {mark.kind for row in self.rows for mark in row.marks}
        styles = {kind: style for kind, style in self.styles.items() if kind in seen}
        if any(row.points for row in self.rows):
            styles[SEED] = Style("muted", "circle")
        kinds = list(styles)
        legend = alt.Legend(columns=len(kinds)) if len(kinds) > 1 else None
        colours = [COLOURS[style.colour] for style in styles.values()]
        shapes, fills = [style.shape for style in styles.values()], [style.fill for style in styles.values()]
        return {
            "color": alt.Color("kind:N", legend=legend, scale=alt.Scale(domain=kinds, range=colours)),
            "fill": alt.Fill("kind:N", legend=legend, scale=alt.Scale(domain=kinds, range=fills)),
            "shape": alt.Shape("kind:N", legend=legend, scale=alt.Scale(domain=kinds, range=shapes)),
        }

    def _above(self) -> Iterator[alt.Chart]:
        """The name and the numbers of every row, above its marks."""
        names = [(*_lines(row.name, NAME_LENGTH), "")[:2] for row in self.rows]
        for texts, at, colour, size in (
            ([first for first, _ in names], 8, "ink", NORMAL),
            ([second for _, second in names], 8 + _LINE, "ink", NORMAL),
            ([row.numbers for row in self.rows], 23 + self._second_line, "muted", SMALL),
        ):
            data = data_of({"row": index, "text": text} for index, text in enumerate(texts) if text)
            chart = alt.Chart(data).mark_text(align="left", color=COLOURS[colour], fontSize=size)
            yield chart.encode(y=_Y, yOffset=alt.value(at), x=alt.value(0), **_SAID)


def _column(texts: Sequence[Sequence[str]]) -> alt.LayerChart:
    """Beside the frames: a text of one or two lines for every row, ending at the right."""
    width = _width(texts)
    places = {1: (_MIDDLE,), 2: (_MIDDLE - _LINE / 2, _MIDDLE + _LINE / 2)}
    layers = []
    for count, heights in places.items():
        rows = [(index, lines) for index, lines in enumerate(texts) if len(lines) == count]
        for line, at in enumerate(heights):
            data = data_of({"row": index, "text": lines[line]} for index, lines in rows)
            chart = alt.Chart(data).mark_text(align="right", baseline="middle")
            layers.append(chart.encode(y=_Y, yOffset=alt.value(at), x=alt.value(width), **_SAID))
    return alt.layer(*layers).properties(width=width, height=alt.Step(_STEP))


def _lines(name: str, length: int = _LINE_LENGTH) -> list[str]:
    """A name in one line or in two, of which the second is cut if it must be."""
    if len(name) <= length:
        return [name]
    first = textwrap.wrap(name, length)[0]
    return [first, shortened(name[len(first) :].strip(), length)]


def _width(texts: Sequence[Sequence[str]]) -> int:
    return round(_LETTER * max(len(line) for lines in texts for line in lines))


def _arrows(drawn: Sequence[tuple[int, Mark]], domain: Domain) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """At both ends of a part of the axis: the rows that reach beyond it."""
    if domain is None:
        return
    for shape, edge, side in (("triangle-left", domain[0], -1), ("triangle-right", domain[1], 1)):
        beyond = [
            {"row": index, "kind": mark.kind, "value": edge, "says": f"{mark.says}, beyond this axis"}
            for index, mark in drawn
            if any(side * (end - edge) > 0 for end in (mark.value, *(mark.ends or ())))
        ]
        if beyond:
            yield shape, beyond


def _within(value: float, domain: Domain) -> bool:
    return domain is None or domain[0] <= value <= domain[1]


def _kept(value: float, domain: Domain) -> float:
    return value if domain is None else min(max(value, domain[0]), domain[1])
