"""Several trainings in one picture: loss, accuracy and latency, one colour a system, one thin line a seed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitlab.report.figures import COLOURS, STYLE, Drawing, save
from vitlab.report.run import SPLITS, Metrics, RunRecord
from vitlab.report.wording import is_number

_COLOURS = ("accent", "second", "third", "ink", "muted")


def draw_together(systems: Mapping[str, Sequence[RunRecord]], folder: Path) -> Drawing:
    """Write `together.png` and `together.svg` into `folder`; `systems` are the runs of each, one a seed.

    Accuracy and loss are of the held-out split that was measured along the way; a curve of the test split is marked.
    Latency is the seconds an epoch took, between one evaluation and the next.
    """
    split = _watched([run for runs in systems.values() for run in runs])
    peeks = " (peeks)" if split == "test" else ""
    panels = {
        f"{SPLITS[split]} loss{peeks}": [(f"{split}_loss", 1.0)],
        f"{SPLITS[split]} top-1, %{peeks}": [(f"{split}_top1", 100.0)],
    }
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 3.4), layout="constrained")
        loss, accuracy, latency = figure.subplots(1, 3)
        for axes, (title, [(name, scale)]) in zip((loss, accuracy), panels.items(), strict=True):
            _panel(axes, title, {key: [_curve(run, name, scale) for run in runs] for key, runs in systems.items()})
        seconds = {key: [_seconds_per_epoch(run.history) for run in runs] for key, runs in systems.items()}
        _panel(latency, "latency, seconds / epoch", seconds)
        latency.set_ylim(bottom=0)
        handles, labels = accuracy.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        alt = f"Loss, accuracy and seconds per epoch of {', '.join(systems)}, by epoch"
        return save(figure, "together", "Side by side", alt, folder)


def _watched(runs: Sequence[RunRecord]) -> str:
    """The held-out split that was measured along the way: validation where there is one."""
    has_validation = any(is_number(line.get("val_top1")) for run in runs for line in run.history)
    return "val" if has_validation else "test"


def _curve(run: RunRecord, name: str, scale: float) -> np.ndarray:
    """[points, 2]: epoch and value, where it was measured"""
    found = [(line["epoch"], scale * line[name]) for line in run.history if is_number(line.get(name))]  # type: ignore[operator]
    return np.array(found, dtype=float).reshape(-1, 2)


def _seconds_per_epoch(history: Sequence[Metrics]) -> np.ndarray:
    """[points, 2]: epoch, and the seconds an epoch took since the evaluation before"""
    clock = np.array([(0.0, 0.0), *((line["epoch"], line["seconds"]) for line in history)], dtype=float)
    steps = np.diff(clock, axis=0)
    kept = steps[:, 0] > 0
    return np.stack([clock[1:, 0][kept], steps[kept, 1] / steps[kept, 0]], axis=1)


def _panel(axes: Axes, title: str, curves: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Every seed as a thin line, their mean as a thick one where they were measured at the same epochs."""
    for index, (name, seeds) in enumerate(curves.items()):
        colour = COLOURS[_COLOURS[index % len(_COLOURS)]]
        for seed in seeds:
            axes.plot(*seed.T, color=colour, linewidth=0.7, alpha=0.6)
        alike = [seed for seed in seeds if seed.shape == seeds[0].shape]
        axes.plot(*np.mean(alike, axis=0).T, color=colour, label=name)
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel("epoch")
    axes.locator_params(nbins=6)
