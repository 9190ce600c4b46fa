"""The charts of a run's page: what was measured over the training, the learning rate, the confusion matrix."""

from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import numpy as np

from vitlab.base.errors import UserError
from vitlab.base.metric import Metric
from vitlab.base.spec import component_names, read_value
from vitlab.base.words import shortened
from vitlab.optim.schedule._base import ScheduleSpec
from vitlab.records._base import Numbers
from vitlab.records.predictions import Predictions
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import Drawing, data_of, drawing
from vitlab.report.charts.lines import Axis, Frame, Line, Write
from vitlab.report.charts.theme import COLOURS, SMALL
from vitlab.report.run import SPLITS, RunRecord
from vitlab.report.units import title_of, unit_of
from vitlab.report.wording import is_number

_SPLIT_COLOURS = {"train": "muted", "val": "accent", "test": "second"}
_NAME_LENGTH = 16  # characters of a class name that fit beside a matrix
_CELL = 27  # pixels, of a place in the matrix
_RATES = 200  # points of the learning rate's curve
_AS_RECORDED = 1e-6  # relative; a schedule that gives other rates than were recorded is not drawn


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
        f"{labels[split].capitalize()} from {_ends(values, unit.drawn)}." for split, values in shown.items()
    )
    lines = [Line(labels[split], _known(at, values), _SPLIT_COLOURS[split]) for split, values in shown.items()]
    frame = Frame(lines, Axis(clock), Axis(title, unit.drawn))
    return drawing(metric.name, title, alt, beside, frame.named_at_ends())


def learning_rate(run: RunRecord, beside: Beside) -> Drawing | None:
    """The learning rate over the training, its warm-up included; None if it was never recorded."""
    clock, at = _clock(run.history)
    recorded = _known(at, _series(run.history, "lr", 1))
    if not len(recorded):
        return None
    points = _scheduled(run, recorded)
    rates = points[:, 1]
    alt = f"Learning rate by {clock}, from {rates[0]:.2g} to {rates[-1]:.2g}, at most {rates.max():.2g}."
    frame = Frame([Line("", points, "accent")], Axis(clock), Axis("Learning rate", "{:.3g}".format, bottom=0.0))
    return drawing("learning_rate", "Learning rate", alt, beside, frame.plain())


def _scheduled(run: RunRecord, recorded: np.ndarray) -> np.ndarray:
    """[points, 2] The rate by the run's schedule, from its first step on; the recorded points where it cannot be told,
    or is not what was recorded.
    """
    schedule, optim, last = _schedule(run), run.spec.get("optim", {}), run.history[-1]
    if schedule is None or not all(is_number(last.get(key)) for key in ("step", "epoch")) or not last["epoch"]:
        return recorded
    base, per_epoch = optim.get("lr"), last["step"] / last["epoch"]
    steps = run.spec.get("steps") or (run.spec.get("epochs") or 0.0) * per_epoch
    if not (is_number(base) and steps):
        return recorded

    def rate(step: int) -> float:
        return schedule.lr(base, step, round(steps), per_epoch)

    told = [line for line in run.history if is_number(line.get("lr")) and is_number(line.get("step"))]
    if any(abs(rate(line["step"] - 1) - line["lr"]) > _AS_RECORDED * base for line in told):
        return recorded
    taken = np.unique(np.linspace(0, last["step"] - 1, _RATES).round().astype(int)).tolist()
    scale = 1 / per_epoch if _clock(run.history)[0] == "epoch" else 1.0
    return np.array([((step + 1) * scale, rate(step)) for step in taken])


def _schedule(run: RunRecord) -> ScheduleSpec | None:
    """The run's schedule; None where it is somebody's own: a page runs no code of a record."""
    value = run.spec.get("optim", {}).get("schedule")
    name = value.get("name") if isinstance(value, dict) else value
    if name not in component_names(ScheduleSpec.family):
        return None
    try:
        schedule = read_value(ScheduleSpec, value, "optim.schedule")
    except UserError:
        return None
    return schedule if isinstance(schedule, ScheduleSpec) else None


def _series(history: Sequence[Numbers], name: str, scale: float) -> np.ndarray:
    """One value a line, NaN where there is none."""
    values = [line.get(name) for line in history]
    return np.array([scale * value if is_number(value) else np.nan for value in values], dtype=float)


def _clock(history: Sequence[Numbers]) -> tuple[str, np.ndarray]:
    """The horizontal axis: epochs where they are recorded, else steps."""
    epochs = _series(history, "epoch", 1)
    return ("epoch", epochs) if np.isfinite(epochs).all() else ("step", _series(history, "step", 1))


def _known(at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[points, 2] where both are known"""
    there = np.isfinite(values) & np.isfinite(at)
    return np.stack([at[there], values[there]], axis=1)


def _ends(values: np.ndarray, write: Write) -> str:
    there = values[np.isfinite(values)]
    return f"{write(float(there[0]))} to {write(float(there[-1]))}"


# ------------------------------------------------------------------------------------------------------ confusion


def confusion(predictions: Predictions, names: Sequence[str], beside: Beside) -> Drawing:
    """The confusion matrix: rows are the true classes, columns what they were taken for, counts in the cells.

    Right answers in one colour, mistakes in another; tints light enough for the number to be read on any page.
    """
    counts = predictions.confusion()
    classes, side = len(counts), _CELL * len(counts)
    short = [shortened(name, _NAME_LENGTH) for name in names]
    room = 0.6 * SMALL * max(map(len, short))
    row, column = (
        alt.Y("row:O", title="true class", axis=alt.Axis(labels=False, titlePadding=room + 10)),
        alt.X("column:O", title="predicted class", axis=alt.Axis(labels=False, titlePadding=room + 10, labelAngle=0)),
    )
    cells = alt.Chart(data_of(_cells(counts, names))).encode(x=column, y=row)
    colour = alt.Color(
        "right:N",
        legend=None,
        scale=alt.Scale(domain=[True, False], range=[COLOURS["accent"], COLOURS["second"]]),
    )
    tints = cells.mark_rect(strokeWidth=0).encode(
        color=colour, fillOpacity=alt.FillOpacity("tint:Q", scale=None, legend=None), description="says:N"
    )
    numbers = cells.mark_text(fontSize=SMALL, aria=False).encode(text="images:Q")
    chart = alt.layer(tints, numbers, *_class_names(short, side)).properties(width=side, height=side)
    alt_text = f"Confusion matrix of {classes} classes: {predictions.num_correct} of {counts.sum()} on the diagonal."
    return drawing("confusion", "Confusion matrix", alt_text, beside, chart)


def _cells(counts: np.ndarray, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The places that hold images."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for (row, column), number in np.ndenumerate(counts):
        if number:
            right, share = row == column, float(shares[row, column])
            yield {
                "row": row,
                "column": column,
                "images": int(number),
                "right": right,
                "tint": 0.08 + 0.27 * share if right else min(0.15 + 1.5 * share, 0.5),
                "says": f"{names[row]} taken for {names[column]}: {number}",
            }


def _class_names(names: Sequence[str], side: int) -> Iterator[alt.Chart]:
    """To the left of the rows, and below the columns."""
    data = data_of([{"place": place, "name": name} for place, name in enumerate(names)])
    texts = {"fontSize": SMALL, "color": COLOURS["muted"], "align": "right", "baseline": "middle"}
    every = alt.Scale(domain=list(range(len(names))))
    beside = alt.Chart(data).mark_text(**texts)
    yield beside.encode(y=alt.Y("place:O", scale=every), x=alt.value(-6), text="name:N", description="name:N")
    below = alt.Chart(data).mark_text(angle=270, **texts)
    yield below.encode(x=alt.X("place:O", scale=every), y=alt.value(side + 6), text="name:N", description="name:N")
