"""Costs in time as ratios to the first cell's: within each round, so that the machine's pace cancels. No torch."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median

import numpy as np

from vitlab.records.execution import CellCosts
from vitlab.records.outcome import CellOutcome, CostRatio
from vitlab.stats.crossed import ScoreTable, contrast

_STEP = "seconds_per_step"


def cost_ratios(timed: Mapping[str, CellCosts], first: str, cell: str) -> dict[str, CostRatio]:
    """A cell's costs over the first's, by their names; empty where they were not timed together."""
    if cell == first or not {first, cell} <= timed.keys():
        return {}
    ours, theirs = timed[cell], timed[first]
    return {
        _STEP: _ratio(ours.step, theirs.step),
        "seconds_per_image": _ratio(ours.image, theirs.image),
    }


def with_pace(cells: tuple[CellOutcome, ...], ways: Mapping[str, str]) -> tuple[CellOutcome, ...]:
    """The cells, with the ratio of the times that their trainings took beside that of a step, for those that were
    trained in the first one's way.
    """
    first = cells[0]
    return tuple(
        replace(cell, ratios={**cell.ratios, _STEP: replace(cell.ratios[_STEP], trained=_paces(cell, first))})
        if _STEP in cell.ratios and cell.name in ways and ways.get(first.name) == ways[cell.name]
        else cell
        for cell in cells
    )


def _paces(cell: CellOutcome, first: CellOutcome) -> float | None:
    """The ratio of the median times that a step of training took, evaluations included."""
    paces = []
    for each in (cell, first):
        finished = [run.metrics for run in each.runs if run.status == "finished"]
        seconds = [m["train_seconds"] / m["steps"] for m in finished if m.get("train_seconds") and m.get("steps")]
        paces.append(median(seconds) if seconds else None)
    ours, theirs = paces
    return None if ours is None or theirs is None else ours / theirs


def least_busy(timed: Mapping[str, CellCosts]) -> float | None:
    """The smallest share of any measurement's time in which its process was computing; None where that is not known."""
    return min((share for cell in timed.values() for share in cell.busy if share is not None), default=None)


def _ratio(ours: tuple[float, ...], theirs: tuple[float, ...]) -> CostRatio:
    """The ratio of the typical round, by Student's t on the logarithms of the rounds' ratios."""
    logs = np.log(np.array(ours) / np.array(theirs))
    interval = contrast([ScoreTable(logs)], [1.0]).interval()
    ends = (interval.low, interval.high) if interval else (logs.mean(), logs.mean())
    return CostRatio(*(float(np.exp(each)) for each in (logs.mean(), *ends)))
