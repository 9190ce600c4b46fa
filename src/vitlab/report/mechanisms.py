"""The picture of `vitlab bench attention`: time and memory against the number of tokens, with the crossover points."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np

from vitlab.base.files import write_json
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import TALL, WIDE, Drawing, drawing
from vitlab.report.charts.lines import Axis, Frame, Line

_HEIGHT = 330  # pixels, of a frame


def save(figures: dict[str, Any], folder: Path) -> None:
    """Write the picture and the figures into a folder: `attention.png`, `attention.svg`, `attention.json`."""
    beside = Beside()
    draw(figures, beside)
    beside.save(folder)
    write_json(folder / "attention.json", figures)


def draw(figures: dict[str, Any], beside: Beside) -> Drawing:
    """The picture, `attention.png` and `attention.svg`."""
    rows = shown(figures["mechanisms"])
    crossed = _crossings(rows, figures["noise"])
    time = _panel(rows, crossed, "step_seconds", 1e3, "ms / image of a training step")
    memory = _panel(rows, crossed, "peak_memory_bytes", 2**-20, "MiB / image, the most of a training step")
    alt_text = (
        "Time and memory of every attention and mixer against the number of tokens, both on logarithmic axes. "
        + " ".join(
            f"{label} is faster than softmax from {tokens:,.0f} tokens on." for label, (tokens, _) in crossed.items()
        )
    ).strip()
    wide = alt.hconcat(*(frame.named_at_ends(WIDE // 2, _HEIGHT) for frame in (time, memory)), spacing=20)
    tall = alt.vconcat(*(frame.named_at_ends(TALL, _HEIGHT) for frame in (time, memory)), spacing=20)
    return drawing("attention", "Attention against the number of tokens", alt_text, beside, wide, tall)


def shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Softmax attention with each kernel, every other mechanism with the one that gets farthest, then is fastest."""
    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row["label"] if row["name"] == "softmax" else row["name"]
        if name not in best or _reach(row) > _reach(best[name]):
            best[name] = row
    return list(best.values())


def _reach(row: dict[str, Any]) -> tuple[int, float]:
    points = row["points"]
    return (len(points), -points[-1]["step_seconds"]) if points else (0, 0.0)


def _panel(
    rows: Sequence[dict[str, Any]], crossed: Mapping[str, tuple[float, float]], key: str, scale: float, title: str
) -> Frame:
    """Softmax attention in ink, what becomes faster than it in colour, the rest in gray."""
    lines = []
    for row in rows:
        points = [(point["tokens"], max(point[key] * scale, 1e-6)) for point in row["points"]]
        softmax, dash = row["name"] == "softmax", (6, 3) if row["kernel"] == "explicit" else ()
        colour = "ink" if softmax else "accent" if row["label"] in crossed else "muted"
        if points:
            lines.append(Line(row["label"], np.array(points, float), colour, dash, 2.4 if softmax else 1.2))
    ticks = tuple(sorted({float(point["tokens"]) for row in rows for point in row["points"]}))
    rings = [
        (tokens, seconds * scale, f"{label} is faster than softmax from {tokens:,.0f} tokens on")
        for label, (tokens, seconds) in crossed.items()
        if key == "step_seconds"
    ]
    x, y = Axis("tokens", "{:,.0f}".format, log=True, ticks=ticks), Axis(title, "{:,.3g}".format, log=True)
    return Frame(lines, x, y, rings, title)


def _crossings(rows: Sequence[dict[str, Any]], noise: float) -> dict[str, tuple[float, float]]:
    """Where a mechanism's time falls below the better of softmax attention's for good: tokens and seconds."""
    best = best_softmax(rows, "step_seconds")
    crossed = {
        row["label"]: crossing({point["tokens"]: point["step_seconds"] for point in row["points"]}, best, noise)
        for row in rows
        if row["name"] != "softmax"
    }
    return {label: found for label, found in crossed.items() if found is not None}


def best_softmax(rows: Sequence[dict[str, Any]], key: str) -> dict[int, float]:
    """tokens -> the smallest figure of softmax attention over its kernels."""
    best: dict[int, float] = {}
    for point in (point for row in rows if row["name"] == "softmax" for point in row["points"]):
        best[point["tokens"]] = min(point[key], best.get(point["tokens"], float("inf")))
    return best


def crossing(ours: dict[int, float], theirs: dict[int, float], noise: float = 0.0) -> tuple[float, float] | None:
    """Where `ours` falls below `theirs` and stays there: (tokens, figure), straight lines on logarithmic axes.

    None if it does not, is below from the start, or ends with a lead that `noise` may have given it.
    """
    tokens = sorted(set(ours) & set(theirs))
    ahead = [log(theirs[count] / ours[count]) for count in tokens]
    if not ahead or ahead[-1] < log(1 + noise):
        return None
    for i, j in reversed(list(pairwise(range(len(tokens))))):
        if ahead[j] <= 0:
            return None
        if ahead[i] <= 0:
            part = -ahead[i] / (ahead[j] - ahead[i])
            return _between(tokens[i], tokens[j], part), _between(ours[tokens[i]], ours[tokens[j]], part)
    return None


def _between(start: float, end: float, part: float) -> float:
    return exp(log(start) + part * (log(end) - log(start)))
