"""The picture of `vitlab bench attention`: time and memory against the number of tokens, beside softmax attention's.

What is never faster than softmax attention, what is from some number of tokens on, and what always is have a row of
frames each, so that the lines of a frame can be told apart. Figures are ratios to softmax attention with its better
kernel: on an axis of milliseconds, from a tenth to ten thousands, most lines would be one.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from math import exp, inf, log
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np

from vitlab.base.files import write_json
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import WIDE, Drawing, drawing
from vitlab.report.charts.lines import Axis, Frame, Line
from vitlab.report.charts.names import LETTER

Rows = Sequence[Mapping[str, Any]]  # the mechanisms of the bench's record
_HEIGHT = 200  # pixels, of a frame
_NUMBERS = 46  # pixels, of those beside a frame
_SLOWER, _LATER, _ALWAYS = (
    "As fast as softmax attention, or slower",
    "Faster than softmax attention from some number of tokens on (ringed)",
    "Faster than softmax attention at every number of tokens",
)
_LOOKS = [(colour, dash) for dash in ((), (6, 3), (2, 2)) for colour in ("accent", "second", "third")]
_ALL = "Everything that was measured"
_PANELS = {"step_seconds": "time of a training step", "peak_memory_bytes": "most memory of a training step"}


def save(figures: dict[str, Any], folder: Path) -> None:
    """Write the picture and the figures into a folder: `attention.png`, `attention.svg`, `attention.json`."""
    beside = Beside()
    draw(figures, beside)
    beside.save(folder)
    write_json(folder / "attention.json", figures)


def draw(figures: dict[str, Any], beside: Beside) -> Drawing:
    """The picture, `attention.png` and `attention.svg`."""
    rows = [row for row in shown(figures["mechanisms"]) if row["points"]]
    groups = grouped(rows, figures["noise"])
    room = round(LETTER * max(len(row["label"]) for row in rows))
    charts = []
    for heading, since in groups.items():
        panels = (_panel(rows, since, key, ringed=heading == _LATER) for key in _PANELS)
        abreast = [panel.named_at_ends(WIDE // 2, _HEIGHT, room) for panel in panels]
        charts.append(alt.hconcat(*abreast, spacing=20).properties(title=alt.Title(heading, fontWeight="bold")))
    told = [f"{heading}: {'; '.join(since)}." for heading, since in groups.items()]
    told += [f"{label} from {tokens:,.0f} tokens on." for label, tokens in groups.get(_LATER, {}).items()]
    spoken = " ".join(["Time and memory of every attention and mixer against the number of tokens.", *told])
    chart = alt.vconcat(*charts, spacing=24).resolve_scale(color="independent", strokeDash="independent")
    return drawing("attention", "Attention against the number of tokens", spoken, beside, chart)


def shown(rows: Rows) -> list[Mapping[str, Any]]:
    """Softmax attention with each kernel, every other mechanism with the one that gets farthest, then is fastest."""
    best: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        name = row["label"] if row["name"] == "softmax" else row["name"]
        if name not in best or _reach(row) > _reach(best[name]):
            best[name] = row
    return list(best.values())


def _reach(row: Mapping[str, Any]) -> tuple[int, float]:
    points = row["points"]
    return (len(points), -points[-1]["step_seconds"]) if points else (0, 0.0)


def grouped(rows: Rows, noise: float) -> dict[str, dict[str, float]]:
    """What is not softmax attention, by how its time compares with that: heading -> label -> the number of tokens from
    which it is faster, infinity if from none. All together where there is nothing to compare.
    """
    theirs = best(_softmax(rows), "step_seconds")
    others = [row for row in rows if row["name"] != "softmax"]
    if not (theirs and others):
        return {_ALL: {row["label"]: inf for row in others}}
    groups: dict[str, dict[str, float]] = {_SLOWER: {}, _LATER: {}, _ALWAYS: {}}
    for row in others:
        ours = {point["tokens"]: point["step_seconds"] for point in row["points"]}
        since = faster_from(ours, theirs, noise)
        heading = _ALWAYS if since == min(ours) else _LATER if since < inf else _SLOWER
        groups[heading][row["label"]] = since
    return {heading: since for heading, since in groups.items() if since}


def _softmax(rows: Rows) -> Rows:
    return [row for row in rows if row["name"] == "softmax"]


def _panel(rows: Rows, since: Mapping[str, float], key: str, ringed: bool) -> Frame:
    """A group's lines and softmax attention's, which is in ink; `ringed`: where a line falls below that for good."""
    softmax = _softmax(rows)
    least = best(softmax or rows, key)
    lines = [
        Line(row["label"], _ratios(row, key, least), "ink", (6, 3) if row["kernel"] == "explicit" else (), 2.4)
        for row in softmax
    ]
    members = sorted((row for row in rows if row["label"] in since), key=_last_time)  # neighbours differ in colour
    lines += [
        Line(row["label"], _ratios(row, key, least), colour, dash, 1.5)
        for row, (colour, dash) in zip(members, cycle(_LOOKS), strict=False)
    ]
    rings = [
        (tokens, 1.0, f"{label} is faster than softmax attention from {tokens:,.0f} tokens on")
        for label, tokens in since.items()
        if ringed and key == "step_seconds"
    ]
    ticks = tuple(sorted(float(tokens) for tokens in least))
    x = Axis("tokens", "{:,.0f}".format, log=True, ticks=ticks)
    title = f"{_PANELS[key]}, {'softmax attention' if softmax else 'the least'} = 1 ×"
    y = Axis(title, "{:,.3g} ×".format, log=True, labels="format(datum.value, ',') + ' ×'", room=_NUMBERS)
    return Frame([line for line in lines if len(line.points)], x, y, rings, title)


def _ratios(row: Mapping[str, Any], key: str, least: Mapping[int, float]) -> np.ndarray:
    """[points, 2]: tokens and how many times as much as the least, where both are known and more than nothing."""
    known = [(point["tokens"], point[key]) for point in row["points"] if point[key] > 0 and least.get(point["tokens"])]
    return np.array([(tokens, value / least[tokens]) for tokens, value in known], float).reshape(-1, 2)


def _last_time(row: Mapping[str, Any]) -> tuple[int, float]:
    return row["points"][-1]["tokens"], row["points"][-1]["step_seconds"]


def best(rows: Rows, key: str) -> dict[int, float]:
    """tokens -> the smallest figure over some mechanisms."""
    least: dict[int, float] = {}
    for point in (point for row in rows for point in row["points"]):
        least[point["tokens"]] = min(point[key], least.get(point["tokens"], inf))
    return least


def faster_from(ours: Mapping[int, float], theirs: Mapping[int, float], noise: float = 0.0) -> float:
    """The number of tokens from which `ours` is below `theirs` for good, straight lines on logarithmic axes.

    Infinity if from none, or if it ends with a lead that `noise` may have given it.
    """
    tokens = sorted(set(ours) & set(theirs))
    ahead = [log(theirs[count] / ours[count]) for count in tokens]
    if not ahead or ahead[-1] <= log(1 + noise):
        return inf
    for i, j in reversed(list(pairwise(range(len(tokens))))):
        if ahead[i] <= 0:
            part = -ahead[i] / (ahead[j] - ahead[i])
            return exp(log(tokens[i]) + part * (log(tokens[j]) - log(tokens[i])))
    return tokens[0]
