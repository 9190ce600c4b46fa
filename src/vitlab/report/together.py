"""Trainings drawn together: loss, accuracy and latency over the training, seeds faint and their mean bold.

A few systems share one frame, each with its colour and its dash. Many get a small frame each, all with the same axes,
in which the first system, the one to compare with, stands again in gray.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vitlab.base.metric import Metric
from vitlab.base.words import shortened
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import Drawing, drawing
from vitlab.report.charts.lines import Axis, Frame, Frames, Line
from vitlab.report.run import RunRecord
from vitlab.report.tables import add_csv
from vitlab.report.units import unit_of
from vitlab.report.wording import is_number

_LINES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("accent", ()),
    ("second", (6, 3)),
    ("third", (8, 3, 2, 3)),
    ("ink", (2, 2)),
    ("muted", ()),
)
_NAME_LENGTH = 48  # characters, in a legend
Curves = Mapping[str, Sequence[np.ndarray]]  # by system, one a run: [points, 2], progress and value


class Progress(NamedTuple):
    """How far a training is: a number of its history, and how the time is told that each takes."""

    name: str
    latency: str
    scale: float


EPOCHS, STEPS = Progress("epoch", "Latency, seconds / epoch", 1.0), Progress("step", "Latency, ms / step", 1e3)


def draw_together(systems: Mapping[str, Sequence[RunRecord]], beside: Beside) -> list[Drawing]:
    """Pictures of every metric and of latency over the training, as SVG, PNG and CSV: `together_loss` and so on.

    `systems` are the runs of each, one a seed. A metric is of the held-out split that was measured along the way, or of
    training where none was; a curve of the test split is marked. Latency is the seconds an epoch took, between one
    evaluation and the next, divided by the runs of its stack. What no run recorded is not drawn. All is by epoch, or by
    step where systems take the same steps and not the same epochs.
    """
    runs = [run for members in systems.values() for run in members]
    split, progress = _watched(runs), _progress(runs)
    drawings = []
    for metric in _shown(runs):
        unit = unit_of(metric, split)
        curves = {
            name: [_curve(run, progress, f"{split}_{metric.name}", unit.scale) for run in seeds]
            for name, seeds in systems.items()
        }
        drawings += _drawn(
            systems,
            progress,
            curves,
            metric.name,
            Axis(_title(metric, split), unit.drawn, unit=unit.value_unit),
            beside,
        )
    latencies = {name: [_latency(run, progress) for run in seeds] for name, seeds in systems.items()}
    y = Axis(progress.latency, "{:,.4g}".format, bottom=0.0, unit=progress.latency.partition(", ")[2])
    return drawings + _drawn(systems, progress, latencies, "latency", y, beside)


def _progress(runs: Sequence[RunRecord]) -> Progress:
    """Epochs, unless the runs take the same steps and not the same epochs, as with a part of the training set."""
    last = [run.history[-1] for run in runs if run.history]
    epochs, steps = ({line.get(each.name) for line in last} for each in (EPOCHS, STEPS))
    return STEPS if len(epochs) > 1 and len(steps) == 1 and None not in steps else EPOCHS


def _shown(runs: Sequence[RunRecord]) -> list[Metric]:
    """The metrics that there is room for, what selects first."""
    metrics = {metric.name: metric for run in runs for metric in run.measured.values() if metric.brief}
    selected = {run.selected.name for run in runs if run.selected}
    return sorted(metrics.values(), key=lambda metric: metric.name not in selected)


def _title(metric: Metric, split: str) -> str:
    unit = unit_of(metric, split)
    title = unit.title.capitalize() + (f", {unit.value_unit}" if unit.value_unit else "")
    return title + (" (peeks)" if split == "test" else "")


def _drawn(
    systems: Mapping[str, Sequence[RunRecord]],
    progress: Progress,
    curves: Curves,
    name: str,
    y: Axis,
    beside: Beside,
) -> list[Drawing]:
    """The picture, with its data; none where no run recorded anything."""
    if not any(len(seed) for seeds in curves.values() for seed in seeds):
        return []
    _add_data(systems, progress, curves, f"together_{name}", beside)
    return [_draw(y, Axis(progress.name), curves, f"together_{name}", beside)]


def _draw(y: Axis, x: Axis, curves: Curves, name: str, beside: Beside) -> Drawing:
    alt = f"{y.title} by {x.title}, of {', '.join(curves)}."
    if len(curves) <= len(_LINES):
        lines = [_line(system, seeds, *look) for (system, seeds), look in zip(curves.items(), _LINES, strict=False)]
        return drawing(
            name, y.title, alt, beside, Frame([line for line in lines if len(line.points)], x, y).with_legend()
        )
    (reference, before), *others = curves.items()
    frames = Frames([_line(*other, "accent", ()) for other in others], _line(reference, before, "muted", ()), x, y)
    return drawing(name, y.title, alt, beside, frames.wide(), frames.tall())


def _line(system: str, seeds: Sequence[np.ndarray], colour: str, dash: tuple[int, ...]) -> Line:
    """Every seed faintly, the mean of those measured at the same epochs as the line."""
    return Line(shortened(system, _NAME_LENGTH), _mean(seeds), colour, dash, faint=tuple(filter(len, seeds)))


def _mean(seeds: Sequence[np.ndarray]) -> np.ndarray:
    """[points, 2] the mean over the seeds that were measured where most were"""
    grids = Counter(tuple(seed[:, 0]) for seed in seeds if len(seed))
    if not grids:
        return np.empty((0, 2))
    ((grid, _),) = grids.most_common(1)
    return np.mean([seed for seed in seeds if tuple(seed[:, 0]) == grid], axis=0)


def _watched(runs: Sequence[RunRecord]) -> str:
    """The split that was measured along the way: validation where there is one, else test, else training."""
    measured = {name.partition("_")[0] for run in runs for line in run.history for name in line}
    return next((split for split in ("val", "test", "train") if split in measured), "train")


def _curve(run: RunRecord, progress: Progress, name: str, scale: float) -> np.ndarray:
    """[points, 2]: progress and value, where it was measured"""
    points = [
        (at, scale * value)
        for line in run.history
        if is_number(value := line.get(name)) and is_number(at := line.get(progress.name))
    ]
    return np.array(points, dtype=float).reshape(-1, 2)


def _latency(run: RunRecord, progress: Progress) -> np.ndarray:
    """[points, 2]: progress, and the time of one epoch or step since the evaluation before; of a stack, a run's share.

    An interval of less than half the usual length, as between the last evaluation and the end, is told with the one
    before: so short a time is mostly noise.
    """
    told = [(line.get(progress.name), line.get("seconds")) for line in run.history]
    clock = [(0.0, 0.0), *((at, seconds) for at, seconds in told if is_number(at) and is_number(seconds))]
    usual = float(np.median(np.diff([at for at, _ in clock]))) if len(clock) > 1 else 0.0
    kept = clock[:1]
    for place in clock[1:]:
        if len(kept) > 1 and place[0] - kept[-1][0] < usual / 2:
            kept.pop()
        kept.append(place)
    points = np.array(kept, dtype=float)
    steps = np.diff(points, axis=0)
    later = steps[:, 0] > 0
    took = steps[later, 1] / steps[later, 0] / _stacked(run)
    return np.stack([points[1:, 0][later], progress.scale * took], axis=1)


def _add_data(
    systems: Mapping[str, Sequence[RunRecord]], progress: Progress, curves: Curves, name: str, beside: Beside
) -> None:
    rows = [
        (system, run.spec.get("seed"), at, value)
        for system, runs in systems.items()
        for run, points in zip(runs, curves[system], strict=True)
        for at, value in points.tolist()
    ]
    add_csv(beside, name, ("cell", "seed", progress.name, "value"), rows)


def _stacked(run: RunRecord) -> int:
    return run.environment.stacked_runs if run.environment else 1
