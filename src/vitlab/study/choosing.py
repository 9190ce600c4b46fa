"""Choosing how each cell is trained: the possible ways take a few steps each, in turn, and the fastest is recorded."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console

from vitlab.base.errors import SpecError, UserError
from vitlab.base.spec import from_dict, to_dict
from vitlab.study.crew import Crew
from vitlab.study.folder import StudyFolder
from vitlab.study.plan import Plan, PlannedCell
from vitlab.study.ways import Way, possible, question
from vitlab.train.choices import Wishes, by_rule
from vitlab.train.interrupt import Interrupted, Request
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

    def allows(self, how: Mapping[str, Any]) -> bool:
        """Whether a cell may be trained in the way that is recorded: any, unless something else is asked for now."""
        way = _way(how)
        return way is not None and ((self.jobs, self.stack) == (None, None) or way in self.ways())

    def wishes_for(self, way: Way, planned: PlannedCell, runs: int) -> dict[str, Any]:
        """What a worker is told that trains `runs` of this cell at once."""
        return to_dict(way.wishes(self.wishes, self.rule, planned.candidates[0].spec, runs))


def choose_ways(plan: Plan, folder: StudyFolder, asked: Asked, crew: Crew, request: Request, console: Console) -> None:
    """Record for every cell how it is trained, where no way is recorded yet that may be used.

    Raises Interrupted between two cells, if a signal asks for it.
    """
    known = folder.how()
    for planned in plan.cells:
        if request.signum:
            raise Interrupted(request.signum)
        if not asked.allows(known.get(planned.folder, {})):
            how = _how(planned, asked, crew)
            folder.note_how(planned.folder, how)
            console.print(f"{planned.cell.name}: {_said(how['measured'])}", highlight=False)


def expected_seconds(how: Mapping[str, Any]) -> float:
    """What a run will take of the machine, the others beside it not counted; 0 where nothing could be measured."""
    pace = how["measured"].get(str(_way(how)))
    return 0.0 if pace is None else pace * how["steps"]


def _said(paces: Mapping[str, float]) -> str:
    """What was measured, the fastest first."""
    if not paces:
        return "its steps could not be measured"
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
        if not how["unmeasured"]:  # what had no place today may have it tomorrow
            remember(_question(planned, asked), how)
    per_epoch = how["steps_per_epoch"]
    return how | {"steps": None if per_epoch is None else planned.candidates[0].spec.total_steps(per_epoch)}


def _recalled(planned: PlannedCell, asked: Asked) -> dict[str, Any] | None:
    """What was measured earlier, if the way found then is one that may be chosen now."""
    how = recall(_question(planned, asked))
    return how if how is not None and _way(how) in asked.ways() else None


def _question(planned: PlannedCell, asked: Asked) -> list[Any]:
    return question(planned, len(asked.seeds), asked.rule, asked.ways())


def _way(how: Mapping[str, Any]) -> Way | None:
    """The way that is recorded; None if it is of another vitlab."""
    try:
        return from_dict(Way, how["way"])
    except (KeyError, SpecError):
        return None


def _measure(planned: PlannedCell, asked: Asked, ways: list[Way], crew: Crew) -> dict[str, Any]:
    """The seconds that one step of one run takes in each way, and of a run that has the machine to itself."""
    alone = [way for way in ways if way.jobs == 1 and not way.stacked] or [Way(False, 1, ways[0].kernel)]
    measured, per_epoch, unmeasured = {}, None, {}
    for way in dict.fromkeys([*ways, *alone]):
        try:
            measured[way], per_epoch = _pace(planned, asked, way, crew)
        except UserError as error:  # a stack may need more memory than there is, and a cell may be impossible
            unmeasured[str(way)] = str(error)
    return {
        "way": to_dict(min(ways, key=lambda way: measured.get(way, math.inf))),
        "measured": {str(way): measured[way] for way in ways if way in measured},
        "alone": min((measured[way] for way in alone if way in measured), default=None),  # a cell's cost
        "steps_per_epoch": per_epoch,
        "unmeasured": unmeasured,
    }


def _pace(planned: PlannedCell, asked: Asked, way: Way, crew: Crew) -> tuple[float, float]:
    """The seconds that one step of one run takes, all runs counted that are trained meanwhile; and an epoch's steps."""
    seeds = asked.seeds if way.stacked else asked.seeds[:1]
    spec = planned.candidates[0].spec
    request = {
        "specs": [to_dict(replace(spec, seed=seed)) for seed in seeds],
        "wishes": asked.wishes_for(way, planned, len(seeds)),
        "seconds": SECONDS,
    }
    slowest, per_epoch = crew.paces([request] * way.jobs)
    return slowest / len(seeds) / way.jobs, per_epoch
