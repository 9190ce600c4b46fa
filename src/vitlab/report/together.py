"""Trainings drawn together: loss, accuracy and latency by epoch, thin lines for seeds and a thick one for their mean.

A few systems share one frame, each with its colour and its dash. Many get a small frame each, all with the same axes,
in which the first system, the one to compare with, stands again in gray.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

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
Curves = Mapping[str, Sequence[np.ndarray]]  # by system, one a run: [points, 2], epoch and value


def draw_together(systems: Mapping[str, Sequence[RunRecord]], beside: Beside) -> list[Drawing]:
    """Pictures of every metric and of latency over the training, as SVG, PNG and CSV: `together_loss` and so on.

    `systems` are the runs of each, one a seed. A metric is of the held-out split that was measured along the way, or of
    training where none was; a curve of the test split is marked. Latency is the seconds an epoch took, between one
    evaluation and the next, divided by the runs of its stack. What no run recorded is not drawn.
    """
    runs = [run for members in systems.values() for run in members]
    split = _watched(runs)
    drawings = []
    for metric in _shown(runs):
        unit, title = unit_of(metric, split), _title(metric, split)
        curves = {
            name: [_curve(run, f"{split}_{metric.name}", unit.scale) for run in seeds]
            for name, seeds in systems.items()
        }
        drawings += _drawn(systems, curves, metric.name, title, beside)
    latencies = {name: [_seconds_per_epoch(run) for run in seeds] for name, seeds in systems.items()}
    return drawings + _drawn(systems, latencies, "latency", "Latency, seconds / epoch", beside)


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
    systems: Mapping[str, Sequence[RunRecord]], curves: Curves, name: str, title: str, beside: Beside
) -> list[Drawing]:
    """The picture, with its data; none where no run recorded anything."""
    if not any(len(seed) for seeds in curves.values() for seed in seeds):
        return []
    _add_data(systems, curves, f"together_{name}", beside)
    return [_draw(title, curves, f"together_{name}", beside)]


def _draw(title: str, curves: Curves, name: str, beside: Beside) -> Drawing:
    x, y = Axis("epoch"), Axis(title, bottom=0.0 if name.endswith("latency") else None)
    alt = f"{title} by epoch, of {', '.join(curves)}."
    if len(curves) <= len(_LINES):
        lines = [_line(system, seeds, *look) for (system, seeds), look in zip(curves.items(), _LINES, strict=False)]
        return drawing(
            name, title, alt, beside, Frame([line for line in lines if len(line.points)], x, y).with_legend()
        )
    (reference, before), *others = curves.items()
    frames = Frames([_line(*other, "accent", ()) for other in others], _line(reference, before, "muted", ()), x, y)
    return drawing(name, title, alt, beside, frames.wide(), frames.tall())


def _line(system: str, seeds: Sequence[np.ndarray], colour: str, dash: tuple[int, ...]) -> Line:
    """Every seed faintly, the mean of those measured at the same epochs as the line."""
    return Line(shortened(system, _NAME_LENGTH), _mean(seeds), colour, dash, faint=tuple(filter(len, seeds)))


def _mean(seeds: Sequence[np.ndarray]) -> np.ndarray:
    """[points, 2] the mean over the seeds that were measured at the epochs at which most were"""
    grids = Counter(tuple(seed[:, 0]) for seed in seeds if len(seed))
    if not grids:
        return np.empty((0, 2))
    ((grid, _),) = grids.most_common(1)
    return np.mean([seed for seed in seeds if tuple(seed[:, 0]) == grid], axis=0)


def _watched(runs: Sequence[RunRecord]) -> str:
    """The split that was measured along the way: validation where there is one, else test, else training."""
    measured = {name.partition("_")[0] for run in runs for line in run.history for name in line}
    return next((split for split in ("val", "test", "train") if split in measured), "train")


def _curve(run: RunRecord, name: str, scale: float) -> np.ndarray:
    """[points, 2]: epoch and value, where it was measured"""
    points = [
        (line["epoch"], scale * value)
        for line in run.history
        if is_number(value := line.get(name)) and is_number(line.get("epoch"))
    ]
    return np.array(points, dtype=float).reshape(-1, 2)


def _seconds_per_epoch(run: RunRecord) -> np.ndarray:
    """[points, 2]: epoch, and the seconds an epoch took since the evaluation before; of a stack, a run's share"""
    told = [(line.get("epoch"), line.get("seconds")) for line in run.history]
    clock = np.array([(0.0, 0.0), *(pair for pair in told if is_number(pair[0]) and is_number(pair[1]))], dtype=float)
    steps = np.diff(clock, axis=0)
    kept = steps[:, 0] > 0
    return np.stack([clock[1:, 0][kept], steps[kept, 1] / steps[kept, 0] / _stacked(run)], axis=1)


def _add_data(systems: Mapping[str, Sequence[RunRecord]], curves: Curves, name: str, beside: Beside) -> None:
    rows = [
        (system, run.spec.get("seed"), epoch, value)
        for system, runs in systems.items()
        for run, points in zip(runs, curves[system], strict=True)
        for epoch, value in points.tolist()
    ]
    add_csv(beside, name, ("system", "seed", "epoch", "value"), rows)


def _stacked(run: RunRecord) -> int:
    return run.environment.stacked_runs if run.environment else 1
