"""The picture of `vitlab bench attention`: time and memory against the number of tokens, with the crossover points."""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitlab.base.files import write_json
from vitlab.report.beside import Beside
from vitlab.report.figures import COLOURS, STYLE, Drawing, as_drawing

_GAP = 0.055  # of the axis, between the names at the lines' ends


def save(figures: dict[str, Any], folder: Path) -> None:
    """Write the picture and the figures into a folder: `attention.png`, `attention.svg`, `attention.json`."""
    beside = Beside()
    draw(figures, beside)
    beside.save(folder)
    write_json(folder / "attention.json", figures)


def draw(figures: dict[str, Any], beside: Beside) -> Drawing:
    """The picture, `attention.png` and `attention.svg`."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 5.2), layout="constrained")
        time, memory = figure.subplots(1, 2)
        rows = shown(figures["mechanisms"])
        _panel(time, rows, "step_seconds", 1e3, "milliseconds / image")
        _panel(memory, rows, "peak_memory_bytes", 2**-20, "MiB / image")
        _mark_crossings(time, rows, figures["noise"])
        time.set_title("Training step", loc="left", fontsize=11)
        memory.set_title("Peak memory of a training step", loc="left", fontsize=11)
        alt = "Time and memory of every attention and mixer against the number of tokens, both on logarithmic axes"
        return as_drawing(figure, "attention", "Attention against the number of tokens", alt, beside)


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


def _panel(axes: Axes, rows: Sequence[dict[str, Any]], key: str, scale: float, unit: str) -> None:
    palette = matplotlib.colormaps["tab20"]
    ends = []
    for index, row in enumerate(rows):
        x = [point["tokens"] for point in row["points"]]
        y = [max(point[key] * scale, 1e-6) for point in row["points"]]
        if not x:
            continue
        softmax = row["name"] == "softmax"
        colour = COLOURS["ink"] if softmax else palette(index % 20)
        axes.plot(x, y, color=colour, linewidth=2.6 if softmax else 1.2, linestyle=_line(row), marker="o", markersize=2)
        ends.append((y[-1], row["label"], colour))
    axes.set(xscale="log", yscale="log", xlabel="tokens", ylabel=unit)
    ticks = sorted({point["tokens"] for row in rows for point in row["points"]})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks], fontsize=8)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:,g}")
    _name_ends(axes, ends)


def _line(row: dict[str, Any]) -> str:
    return "--" if row["kernel"] == "explicit" else "-"


def _name_ends(axes: Axes, ends: list[tuple[float, str, Any]]) -> None:
    """Names at the right, where the lines end, pushed apart so that none covers another."""
    low, high = (log(limit) for limit in axes.get_ylim())
    ends = sorted(ends, key=lambda end: end[0])
    wanted = np.array([(log(y) - low) / (high - low) for y, _, _ in ends])
    places = wanted.copy()
    for _ in range(200):
        for i, j in pairwise(range(len(places))):
            if (lacking := _GAP - (places[j] - places[i])) > 0:
                places[i], places[j] = places[i] - lacking / 2, places[j] + lacking / 2
    places -= max(0.0, places[-1] - 1)  # within the axes, as long as there is room for all
    for (_, name, colour), place in zip(ends, places, strict=True):
        axes.text(1.02, place, name, color=colour, fontsize=8, va="center", transform=axes.transAxes)


def _mark_crossings(axes: Axes, rows: Sequence[dict[str, Any]], noise: float) -> None:
    """A ring where a line falls below the better of softmax attention's for good."""
    best = best_softmax(rows, "step_seconds")
    for row in rows:
        if row["name"] == "softmax":
            continue
        crossed = crossing({point["tokens"]: point["step_seconds"] for point in row["points"]}, best, noise)
        if crossed is not None:
            axes.plot(crossed[0], crossed[1] * 1e3, "o", markersize=8, markerfacecolor="none", color=COLOURS["second"])


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
