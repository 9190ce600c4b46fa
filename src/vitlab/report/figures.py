"""The pictures of a page: drawn once, kept as PNG and SVG files, and set into the page with its colours and typeface.

A figure uses the named colours below and nothing else. In the files they are these; in the page each becomes the CSS
variable of its name, so one drawing serves light and dark.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vitlab.base.metric import Metric
from vitlab.base.words import shortened
from vitlab.records._base import Numbers
from vitlab.records.predictions import Predictions
from vitlab.report.beside import Beside
from vitlab.report.run import SPLITS, RunRecord
from vitlab.report.units import title_of, unit_of
from vitlab.report.wording import is_number

COLOURS = {
    "ink": "#1c1f24",
    "muted": "#5c636d",
    "rule": "#dcdfe4",
    "accent": "#1f5fbf",
    "second": "#b4530a",
    "third": "#6b3fa0",
    "paper": "#ffffff",
}
_SPLIT_COLOURS = {"train": "muted", "val": "accent", "test": "second"}
_SIZE = (3.9, 2.6)  # inches; small, so that the text stays readable on a phone and three abreast
_NAME_LENGTH = 16  # characters of a class name that fit beside a matrix
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: the page's typeface, and it can be selected
    "text.parse_math": False,  # a class may be called "$5"
    "font.size": 10,
    "axes.edgecolor": COLOURS["rule"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.6,
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": COLOURS["paper"],
    "axes.facecolor": "none",
}

_NOTHING = 1e-12


@dataclass(frozen=True)
class Drawing:
    """A figure in the page: what stands above it, its SVG, and what it shows in words."""

    title: str
    svg: Markup
    alt: str


def as_drawing(figure: Figure, name: str, title: str, alt: str, beside: Beside) -> Drawing:
    """Draw `name.png` and `name.svg`, to stand beside the page, and the drawing for the page itself."""
    _make_room(figure)
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # the same records make the same bytes
    with matplotlib.rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the page's typeface has it
        text, picture = StringIO(), BytesIO()
        figure.savefig(text, format="svg", metadata=nothing)
        figure.set_layout_engine("none")  # everything has its place, and both files show it there
        figure.savefig(picture, format="png", dpi=150)
    beside.add_text(f"{name}.svg", text.getvalue())
    beside[f"{name}.png"] = picture.getvalue()
    return Drawing(title, _inline(text.getvalue(), name, alt), alt)


def _make_room(figure: Figure) -> None:
    """Where everything is zero the axis is a unit to both sides; by itself it would be as wide as a rounding error."""
    for axes in figure.axes:
        (left, low), (right, high) = axes.dataLim.get_points()
        if axes.get_autoscalex_on() and max(abs(left), abs(right)) < _NOTHING:
            axes.set_xlim(-1, 1)
        if axes.get_autoscaley_on() and max(abs(low), abs(high)) < _NOTHING:
            axes.set_ylim(-1, 1)


def _inline(svg: str, name: str, alt: str) -> Markup:
    """The SVG for an HTML page: the page's colours, typeface and width, ids that no other figure has, no addresses."""
    opening, content = svg[svg.index("<svg") :].split(">", 1)
    (box,) = re.findall(r'viewBox="[^"]*"', opening)
    content = re.sub(r"<metadata>.*?</metadata>", "", content, flags=re.DOTALL)
    content = re.sub(r"<[^>]*>", lambda tag: _inline_tag(tag[0], name), content)  # a class may be called "#1c1f24"
    return Markup(f'<svg role="img" aria-label="{escape(alt)}" {box}>{content}')


def _inline_tag(tag: str, name: str) -> str:
    tag = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", tag.replace("xlink:href", "href"))
    tag = re.sub(r"(font: [^;\"]*?px|font-family:) [^;\"]*", r"\1 var(--typeface)", tag)
    for colour, code in COLOURS.items():
        tag = tag.replace(code, f"var(--{colour})")
    return tag


# --------------------------------------------------------------------------------------------------------- curves


def curves(run: RunRecord, metric: Metric, beside: Beside) -> Drawing | None:
    """What was measured of a metric over the training, one line a split; None if it was never recorded.

    A curve of the test split is marked: it peeks.
    """
    unit, title = unit_of(metric), title_of(metric)
    clock, at = _clock(run.history)
    series = {split: _series(run.history, f"{split}_{metric.name}", unit.scale) for split in SPLITS}
    shown = {split: values for split, values in series.items() if np.isfinite(values).any()}
    if not shown:
        return None
    labels = {split: SPLITS[split] + (" (peeks)" if split == "test" else "") for split in shown}
    alt = f"{title} by {clock}. " + " ".join(
        f"{labels[split].capitalize()} from {_ends(values)}." for split, values in shown.items()
    )
    with matplotlib.rc_context(STYLE):
        figure, axes = _canvas(clock)
        for split, values in shown.items():
            _line(axes, at, values, _SPLIT_COLOURS[split])
        _label_ends(axes, {labels[split]: (values, _SPLIT_COLOURS[split]) for split, values in shown.items()})
        return as_drawing(figure, metric.name, title, alt, beside)


def learning_rate(history: Sequence[Numbers], beside: Beside) -> Drawing | None:
    """The learning rate over the training; None if it was never recorded."""
    values = _series(history, "lr", 1)
    if not np.isfinite(values).any():
        return None
    clock, at = _clock(history)
    with matplotlib.rc_context(STYLE):
        figure, axes = _canvas(clock)
        _line(axes, at, values, "accent")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        alt = f"Learning rate by {clock}, from {values[0]:.2g} to {values[-1]:.2g}, at most {np.nanmax(values):.2g}."
        return as_drawing(figure, "learning_rate", "Learning rate", alt, beside)


def _series(history: Sequence[Numbers], name: str, scale: float) -> np.ndarray:
    """One value a line, NaN where there is none."""
    values = [line.get(name) for line in history]
    return np.array([scale * value if is_number(value) else np.nan for value in values], dtype=float)


def _clock(history: Sequence[Numbers]) -> tuple[str, np.ndarray]:
    """The horizontal axis: epochs where they are recorded, else steps."""
    epochs = _series(history, "epoch", 1)
    return ("epoch", epochs) if np.isfinite(epochs).all() else ("step", _series(history, "step", 1))


def _canvas(clock: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(clock)
    axes.margins(x=0.02, y=0.08)
    axes.locator_params(nbins=6)
    return figure, axes


def _line(axes: Axes, at: np.ndarray, values: np.ndarray, colour: str) -> None:
    """A curve over the points that exist; a lone point is a dot."""
    there = np.isfinite(values) & np.isfinite(at)
    axes.plot(at[there], values[there], color=COLOURS[colour], marker="o" if there.sum() == 1 else None, markersize=4)


def _label_ends(axes: Axes, lines: Mapping[str, tuple[np.ndarray, str]]) -> None:
    """Each line's name beside its last point, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    apart = 0.095 * (high - low)  # the height of a line of text
    place = -np.inf
    ends = sorted((float(values[np.isfinite(values)][-1]), name, colour) for name, (values, colour) in lines.items())
    overhang = max(0.0, ends[0][0] + apart * (len(ends) - 1) - high)  # names that would stand above the frame
    for end, name, colour in ends:
        place = max(end - overhang, place + apart)
        axes.annotate(
            name,
            (1.02, place),
            xycoords=("axes fraction", "data"),
            color=COLOURS[colour],
            va="center",
            annotation_clip=False,
        )


def _ends(values: np.ndarray) -> str:
    there = values[np.isfinite(values)]
    return f"{there[0]:.3g} to {there[-1]:.3g}"


# ------------------------------------------------------------------------------------------------------ confusion


def confusion(predictions: Predictions, names: Sequence[str], beside: Beside) -> Drawing:
    """The confusion matrix: rows are the true classes, columns what they were taken for, counts in the cells."""
    counts = predictions.confusion()
    classes, share = len(counts), counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(3.6, 1.6 + 0.3 * classes)
    names = [shortened(name, _NAME_LENGTH) for name in names]
    with matplotlib.rc_context({**STYLE, "axes.grid": False, "axes.spines.bottom": False}):
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.add_subplot(xlim=(-0.5, classes - 0.5), ylim=(classes - 0.5, -0.5), aspect="equal")
        for (row, column), number in np.ndenumerate(counts):
            _cell(axes, row, column, int(number), float(share[row, column]))
        axes.set_xticks(range(classes), names, rotation=90 if max(map(len, names)) > 2 else 0)
        axes.set_yticks(range(classes), names)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        alt = f"Confusion matrix of {classes} classes: {predictions.num_correct} of {counts.sum()} on the diagonal."
        return as_drawing(figure, "confusion", "Confusion matrix", alt, beside)


def _cell(axes: Axes, row: int, column: int, number: int, share: float) -> None:
    """Right answers in one colour, mistakes in another; tints light enough for the number to be read on any page."""
    if number == 0:
        return
    colour, tint = ("accent", 0.08 + 0.27 * share) if row == column else ("second", min(0.15 + 1.5 * share, 0.5))
    corner = (column - 0.46, row - 0.46)
    axes.add_patch(Rectangle(corner, 0.92, 0.92, facecolor=COLOURS[colour], alpha=tint, linewidth=0))
    axes.text(column, row, str(number), ha="center", va="center", color=COLOURS["ink"], fontsize=9)
