"""Several trainings drawn together: loss, accuracy and latency by epoch, thin lines for seeds and a thick one for their
mean.

A few systems share one frame, each with its colour and its dash. Many get a small frame each, all with the same axes,
in which the first system, the one to compare with, stands again in gray.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitlab.report.figures import COLOURS, STYLE, Drawing, save
from vitlab.report.run import SPLITS, RunRecord
from vitlab.report.tables import write_csv
from vitlab.report.wording import is_number, shortened

_LINES = (("accent", "-"), ("second", "--"), ("third", "-."), ("ink", ":"), ("muted", "-"))
_WIDTH, _HEIGHT = 3.9, 2.6  # inches, of a frame that systems share
_COLUMNS, _SMALL_HEIGHT, _NAME_LENGTH = 2, 1.15, 28  # of frames of one system each
Curves = Mapping[str, Sequence[np.ndarray]]  # by system, one a run: [points, 2], epoch and value


def draw_together(systems: Mapping[str, Sequence[RunRecord]], folder: Path) -> list[Drawing]:
    """Write `together_loss`, `together_accuracy` and `together_latency` into `folder`, as SVG, PNG and CSV.

    `systems` are the runs of each, one a seed. Loss and accuracy are of the held-out split that was measured along the
    way, or of training where none was; a curve of the test split is marked. Latency is the seconds an epoch took,
    between one evaluation and the next, divided by the runs of its stack. What no run recorded is not drawn.
    """
    split = _watched([run for runs in systems.values() for run in runs])
    peeks = " (peeks)" if split == "test" else ""
    drawn: dict[str, tuple[str, Curves]] = {
        "loss": (f"{SPLITS[split].capitalize()} loss, nats{peeks}", _curves(systems, f"{split}_loss", 1.0)),
        "accuracy": (f"{SPLITS[split].capitalize()} top-1, %{peeks}", _curves(systems, f"{split}_top1", 100.0)),
        "latency": (
            "Latency, seconds / epoch",
            {name: [_seconds_per_epoch(run) for run in runs] for name, runs in systems.items()},
        ),
    }
    found = []
    for name, (title, curves) in drawn.items():
        if any(len(seed) for seeds in curves.values() for seed in seeds):
            _save_data(systems, curves, f"together_{name}", folder)
            found.append(_draw(title, curves, f"together_{name}", folder))
    return found


def _draw(title: str, curves: Curves, name: str, folder: Path) -> Drawing:
    bottom = 0.0 if name.endswith("latency") else None
    with matplotlib.rc_context(STYLE):
        figure = _shared(curves, bottom) if len(curves) <= len(_LINES) else _apart(curves, bottom)
        return save(figure, name, title, f"{title} by epoch, of {', '.join(curves)}.", folder)


def _shared(curves: Curves, bottom: float | None) -> Figure:
    """All systems in one frame."""
    longest = max(map(len, curves))
    columns = 1 if longest > _NAME_LENGTH // 2 else 2
    rows = -(-len(curves) // columns)
    figure = Figure(figsize=(_WIDTH, _HEIGHT + 0.18 * rows), layout="constrained")
    axes = figure.add_subplot()
    for (name, seeds), (colour, dash) in zip(curves.items(), _LINES, strict=False):
        _lines(axes, seeds, COLOURS[colour], dash, shortened(name, 2 * _NAME_LENGTH))
    axes.set_xlabel("epoch")
    axes.set_ylim(bottom=bottom)
    axes.locator_params(nbins=6)
    figure.legend(
        loc="outside lower left", ncols=columns, frameon=False, fontsize=8, handlelength=2.2, columnspacing=1.2
    )
    return figure


def _apart(curves: Curves, bottom: float | None) -> Figure:
    """A frame for every system but the first, which stands in all of them."""
    (reference, before), *others = curves.items()
    rows = -(-len(others) // _COLUMNS)
    figure = Figure(figsize=(_WIDTH, 0.5 + _SMALL_HEIGHT * rows), layout="constrained")
    frames = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).flat
    for axes, (name, seeds) in zip(frames, others, strict=False):
        _lines(axes, before, COLOURS["muted"], "--", f"gray, dashed: {shortened(reference, 2 * _NAME_LENGTH)}")
        _lines(axes, seeds, COLOURS["accent"], "-", "")
        axes.set_title(shortened(name, _NAME_LENGTH), loc="left", fontsize=8, pad=3)
        axes.tick_params(labelsize=7)
        axes.locator_params(nbins=4)
    for axes in figure.axes[len(others) :]:
        axes.set_visible(False)
    figure.axes[0].set_ylim(bottom=bottom)
    figure.supxlabel("epoch", fontsize=8, color=COLOURS["muted"])
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles[:1], labels[:1], loc="outside lower left", frameon=False, fontsize=8)
    return figure


def _lines(axes: Axes, seeds: Sequence[np.ndarray], colour: str, dash: str, label: str) -> None:
    """Every seed as a thin line, the mean of those measured at the same epochs as a thick one; a lone point a dot."""
    for seed in seeds:
        axes.plot(*seed.T, color=colour, linewidth=0.6, alpha=0.45, marker="o" if len(seed) == 1 else "", markersize=2)
    mean = _mean(seeds)
    marker = "o" if len(mean) == 1 else ""
    axes.plot(*mean.T, color=colour, linestyle=dash, label=label, linewidth=1.6, marker=marker, markersize=4)


def _mean(seeds: Sequence[np.ndarray]) -> np.ndarray:
    """[points, 2] the mean over the seeds that were measured at the epochs at which most were"""
    grids = Counter(tuple(seed[:, 0]) for seed in seeds if len(seed))
    if not grids:
        return np.empty((0, 2))
    ((grid, _),) = grids.most_common(1)
    return np.mean([seed for seed in seeds if tuple(seed[:, 0]) == grid], axis=0)


def _watched(runs: Sequence[RunRecord]) -> str:
    """The split that was measured along the way: validation where there is one, else test, else training."""
    measured = {
        split for split in SPLITS for run in runs for line in run.history if is_number(line.get(f"{split}_top1"))
    }
    return next((split for split in ("val", "test", "train") if split in measured), "train")


def _curves(systems: Mapping[str, Sequence[RunRecord]], name: str, scale: float) -> Curves:
    return {system: [_curve(run, name, scale) for run in runs] for system, runs in systems.items()}


def _curve(run: RunRecord, name: str, scale: float) -> np.ndarray:
    """[points, 2]: epoch and value, where it was measured"""
    found = [
        (line["epoch"], scale * value)
        for line in run.history
        if is_number(value := line.get(name)) and is_number(line.get("epoch"))
    ]
    return np.array(found, dtype=float).reshape(-1, 2)


def _seconds_per_epoch(run: RunRecord) -> np.ndarray:
    """[points, 2]: epoch, and the seconds an epoch took since the evaluation before; of a stack, a run's share"""
    told = [(line.get("epoch"), line.get("seconds")) for line in run.history]
    clock = np.array([(0.0, 0.0), *(pair for pair in told if is_number(pair[0]) and is_number(pair[1]))], dtype=float)
    steps = np.diff(clock, axis=0)
    kept = steps[:, 0] > 0
    return np.stack([clock[1:, 0][kept], steps[kept, 1] / steps[kept, 0] / run.env.get("stacked_runs", 1)], axis=1)


def _save_data(systems: Mapping[str, Sequence[RunRecord]], curves: Curves, name: str, folder: Path) -> None:
    rows = [
        (system, run.spec.get("seed"), epoch, value)
        for system, runs in systems.items()
        for run, points in zip(runs, curves[system], strict=True)
        for epoch, value in points.tolist()
    ]
    write_csv(folder, name, ("system", "seed", "epoch", "value"), rows)
