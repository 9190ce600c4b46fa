"""Charts of what is inside a model: by block and head, by distance, by what was taken away."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from vitlab.base.words import slug
from vitlab.records.inside import Inside
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import CARD, Drawing, data_of, drawing
from vitlab.report.charts.lines import Axis, Frame, Line
from vitlab.report.charts.theme import COLOURS, SMALL

_HEIGHT = 170  # pixels, of a chart
_CELL = 40  # pixels a side, of a matrix's cells, at most
_TINT = 0.5  # of the largest value: light enough for the number to be read on any page
_PERCENT = 100
_NARROW = 26  # pixels, of a cell below which no number fits


def by_block(found: Inside, name: str, title: str, unit: str, beside: Beside) -> Drawing:
    """[depth, H]: a point for each head, a line for the mean over heads."""
    values = found.arrays[name]
    rows = [
        {"block": block, "value": float(value), "says": f"block {block}, head {head}: {value:.2f} {unit}"}
        for (block, head), value in np.ndenumerate(values)
    ]
    means = [{"block": block, "value": float(value)} for block, value in enumerate(values.mean(1))]
    x = alt.X("block:Q", title=_rows(found), axis=alt.Axis(values=list(range(len(values))), format="d", grid=False))
    y = alt.Y("value:Q", title=unit, scale=alt.Scale(zero=True))
    points = alt.Chart(data_of(rows)).mark_circle(size=34, color=COLOURS["accent"], opacity=0.6)
    line = alt.Chart(data_of(means)).mark_line(color=COLOURS["second"], strokeWidth=1.8, aria=False)
    chart = alt.layer(line.encode(x=x, y=y), points.encode(x=x, y=y, description="says:N"))
    alt_text = (
        f"{title}: from {values.mean(1)[0]:.2f} {unit} in the first block to {values.mean(1)[-1]:.2f} in the last."
    )
    sized = chart.properties(width=CARD - 60, height=_HEIGHT)
    return drawing(f"{name}_{slug(found.told.title)}", title, alt_text, beside, sized)


def norms(found: Inside, beside: Beside) -> Drawing:
    """The length of tokens: the median and the largest patch, and the model's own tokens."""
    values = found.arrays["norms"].astype(float)
    names = ("patches, median", "patches, largest", *found.told.own)
    colours = ("accent", "second", *("muted",) * len(found.told.own))
    lines = [
        Line(name, np.stack([np.arange(len(values)), column], axis=1), colour, dash=(4, 3) if colour == "muted" else ())
        for name, column, colour in zip(names, values.T, colours, strict=True)
    ]
    across = Axis("blocks that they have passed", "{:.0f}".format, ticks=tuple(range(len(values))))
    charted = Frame(lines, across, Axis("length", "{:.1f}".format, log=True))
    title = "How long tokens are"
    alt_text = (
        f"{title}: the largest patch is {values[-1, 1] / values[-1, 0]:.1f} times the median after the last block."
    )
    chart = charted.with_legend(CARD, _HEIGHT)
    return drawing(f"norms_{slug(found.told.title)}", title, alt_text, beside, chart)


def positions_by_distance(found: Inside, beside: Beside) -> Drawing:
    """How alike positions are, by how far patches are apart."""
    far, alike = (found.arrays[f"position_{name}"].astype(float) for name in ("distance", "similarity"))
    line = Line("positions", np.stack([far, alike], axis=1), "accent")
    title = "Positions, by distance"
    alt_text = f"{title}: from {alike[0]:.2f} of a patch with itself to {alike[-1]:.2f} across the picture."
    charted = Frame([line], Axis("pixels apart", "{:.0f}".format, unit="pixels"), Axis("similarity", "{:.2f}".format))
    chart = charted.plain(CARD, _HEIGHT)
    return drawing(f"positions_{slug(found.told.title)}", title, alt_text, beside, chart)


def head_curve(found: Inside, beside: Beside) -> Drawing:
    """What is left as heads go, the least harmful first."""
    left = _PERCENT * np.array(found.told.curve["top1"], float)
    line = Line("accuracy", np.stack([np.arange(len(left)), left], axis=1), "accent")
    title = "How many heads can go"
    alt_text = f"{title}: {found.told.curve['removable']} of {len(left) - 1} before a point of accuracy is lost."
    across = Axis("heads that are gone, the least harmful first", "{:.0f}".format)
    chart = Frame([line], across, Axis("accuracy, %", "{:.1f}".format, unit="%")).plain(CARD, _HEIGHT)
    return drawing(f"heads_gone_{slug(found.told.title)}", title, alt_text, beside, chart)


def without_heads(found: Inside, beside: Beside) -> Drawing:
    """The change of accuracy without each head, in points: a row a block."""
    heads = [effect for effect in found.told.knockouts["knockouts"] if effect["kind"] == "head"]
    mixers = sorted({_mixer(effect) for effect in heads}, key=_in_order)
    cells = [
        (mixers.index(_mixer(effect)), int(effect["site"].rpartition(".")[2]), _PERCENT * effect["delta_top1"])
        for effect in heads
    ]
    worst = min(cells, key=lambda cell: cell[2])
    title = "Accuracy without each head"
    alt_text = f"{title}: most is lost without head {worst[1]} of {mixers[worst[0]]}, {worst[2]:+.1f} points."
    chart = _matrix(cells, (_rows(found), "head"), "{:+.1f}", "points without it")
    return drawing(f"heads_{slug(found.told.title)}", title, alt_text, beside, chart)


def _mixer(effect: Mapping[str, Any]) -> str:
    """Whose head it is: 'blocks.1.attn'."""
    return str(effect["site"]).rpartition(".z.")[0]


def _in_order(site: str) -> list[int]:
    return [int(part) for part in site.split(".") if part.isdigit()]


def _rows(found: Inside) -> str:
    """What maps are of: blocks, or all mixers of blocks that have several."""
    return "mixer" if any("." in name for name in found.told.layers) else "block"


def likeness(found: Inside, beside: Beside) -> Drawing:
    """How alike layers are: CKA of the residual stream."""
    values = found.arrays["cka"]
    title = "How alike layers are"
    alt_text = f"{title}: the first and the last by {values[0, -1]:.2f}, 1 is the same up to a rotation."
    cells = [(row, column, float(value)) for (row, column), value in np.ndenumerate(values)]
    chart = _matrix(cells, ("blocks passed", "blocks passed"), "{:.2f}", "CKA")
    return drawing(f"cka_{slug(found.told.title)}", title, alt_text, beside, chart)


def _matrix(
    cells: Sequence[tuple[int, int, float]], titles: tuple[str, str], written: str, means: str
) -> alt.LayerChart:
    """Numbers in rows and columns, tinted by their size; what is below zero in the second colour."""
    most = max((abs(value) for _, _, value in cells), default=0) or 1.0
    rows, columns = 1 + max(cell[0] for cell in cells), 1 + max(cell[1] for cell in cells)
    side = min(_CELL, (CARD - 40) // columns)
    charted = alt.Chart(data_of(_told(cells, titles, written, means, most))).encode(
        x=alt.X("column:O", title=titles[1], axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("row:O", title=titles[0]),
    )
    colour = alt.Color(
        "below:N", legend=None, scale=alt.Scale(domain=[False, True], range=[COLOURS["accent"], COLOURS["second"]])
    )
    tints = charted.mark_rect(strokeWidth=0).encode(
        color=colour, fillOpacity=alt.FillOpacity("tint:Q", scale=None, legend=None), description="says:N"
    )
    numbers = charted.mark_text(fontSize=SMALL - 1, aria=False, color=COLOURS["ink"]).encode(text="text:N")
    layers = [tints, numbers] if side >= _NARROW else [tints]
    return alt.layer(*layers).properties(width=side * columns, height=min(side, 28) * rows)


def _told(
    cells: Iterable[tuple[int, int, float]], titles: tuple[str, str], written: str, means: str, most: float
) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "column": column,
            "text": written.format(value),
            "below": value < 0,
            "tint": _TINT * abs(value) / most,
            "says": f"{titles[0]} {row}, {titles[1]} {column}: {written.format(value)} {means}",
        }
        for row, column, value in cells
    ]
