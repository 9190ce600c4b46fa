"""Choosing how each cell is trained: the possible ways take a few steps each, in turn, and the fastest is recorded."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console

from vitlab.base.errors import SpecError
from vitlab.base.spec import from_dict, to_dict
from vitlab.study.crew import Crew
from vitlab.study.folder import StudyFolder
from vitlab.study.plan import Plan, PlannedCell
from vitlab.study.ways import Way, possible, question
from vitlab.train.choices import Wishes, by_rule
from vitlab.train.recall import recall, remember

SECONDS = 0.4  # of steps in one measurement


class Asked:
    """What is asked of the machine, and what follows for every cell: one device, one precision."""

    def __init__(self, plan: Plan, wishes: Wishes, jobs: int | None, stack: bool | None):
        base = plan.study.base
        self.rule = by_rule(wishes, base.model, base.batch_size, 1)
        self.wishes, self.jobs, self.stack = wishes, jobs, stack
        self.seeds = plan.study.seeds

    def ways(self) -> list[Way]:
        """The ways that any cell may be trained in."""
        return possible(self.rule, self.wishes, len(self.seeds), self.jobs, self.stack)

    def wishes_for(self, way: Way, planned: PlannedCell, runs: int) -> dict[str, Any]:
        """What a worker is told that trains `runs` of this cell at once."""
        return to_dict(way.wishes(self.wishes, self.rule, planned.candidates[0].spec, runs))


def choose_ways(plan: Plan, folder: StudyFolder, asked: Asked, crew: Crew, console: Console) -> None:
    """Record for every cell how it is trained, where that is not recorded yet."""
    known = folder.how()
    for planned in plan.cells:
        if planned.folder not in known:
            how = _how(planned, asked, crew)
            folder.note_how(planned.folder, how)
            console.print(f"{planned.cell.name}: {_said(how['measured'])}", highlight=False)


def _said(paces: Mapping[str, float]) -> str:
    """What was measured, the fastest first."""
    fastest, *others = sorted(paces, key=paces.__getitem__)
    slower = ", ".join(f"{way} {1e3 * paces[way]:.1f}" for way in others)
    return f"{fastest}, {1e3 * paces[fastest]:.1f} ms a run's step" + (f" ({slower})" if slower else "")


def remembered(planned: PlannedCell, asked: Asked) -> float | None:
    """The seconds of a run's step in the way that a cell of these shapes was found fastest in; None if never."""
    how = _recalled(planned, asked)
    return None if how is None else min(how["measured"].values())


def _how(planned: PlannedCell, asked: Asked, crew: Crew) -> dict[str, Any]:
    how = _recalled(planned, asked)
    if how is None:
        how = _measure(planned, asked, asked.ways(), crew)
        remember(_question(planned, asked), how)
    return how


def _recalled(planned: PlannedCell, asked: Asked) -> dict[str, Any] | None:
    """What was measured earlier, if the way found then is one that may be chosen now."""
    how = recall(_question(planned, asked))
    return how if how is not None and _way(how) in asked.ways() else None


def _question(planned: PlannedCell, asked: Asked) -> list[Any]:
    return question(planned, len(asked.seeds), asked.rule, asked.ways())


def _way(how: Mapping[str, Any]) -> Way | None:
    """The way that was remembered; None if it is of another vitlab."""
    try:
        return from_dict(Way, how["way"])
    except (KeyError, SpecError):
        return None


def _measure(planned: PlannedCell, asked: Asked, ways: list[Way], crew: Crew) -> dict[str, Any]:
    """The seconds that one step of one run takes in each way, and of a run that has the machine to itself."""
    alone = [way for way in ways if way.jobs == 1 and not way.stacked] or [Way(False, 1, ways[0].kernel)]
    measured = {way: _pace(planned, asked, way, crew) for way in dict.fromkeys([*ways, *alone])}
    fastest = min(ways, key=lambda way: measured[way][0])
    return {
        "way": to_dict(fastest),
        "measured": {str(way): measured[way][0] for way in ways},
        "alone": min(measured[way][0] for way in alone),  # what a cell costs, however it is trained here
        "steps": measured[fastest][1],
    }


def _pace(planned: PlannedCell, asked: Asked, way: Way, crew: Crew) -> tuple[float, int]:
    """The seconds that one step of one run takes, all runs counted that are trained meanwhile; and a run's steps."""
    seeds = asked.seeds if way.stacked else asked.seeds[:1]
    spec = planned.candidates[0].spec
    request = {
        "specs": [to_dict(replace(spec, seed=seed)) for seed in seeds],
        "wishes": asked.wishes_for(way, planned, len(seeds)),
        "seconds": SECONDS,
    }
    slowest, steps = crew.paces([request] * way.jobs)
    return slowest / len(seeds) / way.jobs, steps
