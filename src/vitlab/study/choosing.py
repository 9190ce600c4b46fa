"""Choosing how each cell is trained: the possible ways take a few steps each, and the fastest is recorded."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rich.console import Console

from vitlab.base.errors import SpecError, UserError
from vitlab.base.spec import from_dict, to_dict
from vitlab.study.crew import Crew, Measured
from vitlab.study.folder import StudyFolder
from vitlab.study.plan import Plan, PlannedCell
from vitlab.study.ways import Way, possible, question, together
from vitlab.train.choices import Wishes, by_rule
from vitlab.train.interrupt import Interrupted, Request
from vitlab.train.recall import recall, remember
from vitlab.train.spec import RunSpec

SECONDS = 0.4  # of steps in one measurement


class Asked:
    """What is asked of the machine, and what follows for every cell: one device, one precision."""

    def __init__(self, plan: Plan, wishes: Wishes, jobs: int | None, stack: bool | None):
        base = plan.study.base
        self.rule = by_rule(wishes, base.model, base.batch_size, 1)
        self.wishes, self.jobs, self.stack = wishes, jobs, stack
        self.seeds = plan.study.seeds

    def ways(self) -> list[Way]:
        """The ways that any cell may be trained in by itself."""
        return possible(self.rule, self.wishes, len(self.seeds), self.jobs, self.stack)

    def together(self, cells: int) -> list[Way]:
        """The ways that so many cells of one structure may be trained in at once."""
        return together(self.rule, self.wishes, cells * len(self.seeds), self.jobs, self.stack) if cells > 1 else []

    def allows(self, how: Mapping[str, Any], like: int) -> bool:
        """Whether a cell may be trained in the way that is recorded: any, unless something else is asked for now.

        `like`: how many cells share its structure, itself included.
        """
        way = _way(how)
        if way is None or how.get("seeds") != len(self.seeds):
            return False
        return (self.jobs, self.stack) == (None, None) or way in [*self.ways(), *self.together(like)]

    def wishes_for(self, way: Way, spec: RunSpec, runs: int) -> dict[str, Any]:
        """What a worker is told that trains `runs` of this structure at once."""
        return to_dict(way.wishes(self.wishes, self.rule, spec, runs))


def choose_ways(plan: Plan, folder: StudyFolder, asked: Asked, crew: Crew, request: Request, console: Console) -> None:
    """Record for every cell how it is trained, where no way is recorded yet that may be used.

    Raises Interrupted between two cells, if a signal asks for it.
    """
    known = folder.how()
    for family in plan.families():
        fresh = [cell for cell in family if not asked.allows(known.get(cell.folder, {}), len(family))]
        hows = []
        for planned in fresh:
            if request.signum:
                raise Interrupted(request.signum)
            hows.append(_how(planned, asked, crew))
        if request.signum:
            raise Interrupted(request.signum)
        found = {cell.folder: how for cell, how in zip(fresh, _perhaps_together(fresh, hows, asked, crew), strict=True)}
        folder.note_how(found)  # all at once: cells of one structure are chosen for together
        for planned in fresh:
            console.print(f"{planned.cell.name}: {_said(found[planned.folder])}", highlight=False)


def expected_seconds(how: Mapping[str, Any]) -> float:
    """What a run will take of the machine, the others beside it not counted; 0 where nothing could be measured."""
    pace = how["measured"].get(str(_way(how)))
    return 0.0 if pace is None else pace * how["steps"]


def _said(how: Mapping[str, Any]) -> str:
    """The way taken, and what was measured of the others, the fastest first."""
    paces, taken = how["measured"], str(_way(how))
    if taken not in paces:
        return "its steps could not be measured"
    others = sorted(paces.keys() - {taken}, key=paces.__getitem__)
    slower = ", ".join(f"{way} {1e3 * paces[way]:.1f}" for way in others)
    return f"{taken}, {1e3 * paces[taken]:.1f} ms a run's step" + (f" ({slower})" if slower else "")


def remembered(planned: PlannedCell, asked: Asked) -> float | None:
    """The seconds of a run's step in the way that a cell of these shapes was found fastest in; None if never."""
    how = _recalled(planned, asked)
    return None if how is None else min(how["measured"].values())


def _perhaps_together(
    cells: Sequence[PlannedCell], hows: Sequence[dict[str, Any]], asked: Asked, crew: Crew
) -> list[dict[str, Any]]:
    """How cells of one structure are trained: all in one stack, if that is faster than each in its own best way."""
    ways = asked.together(len(cells))
    if not ways:
        return list(hows)
    key = question(cells, len(asked.seeds), asked.rule, ways)
    measured = recall(key)
    if measured is None:
        found = _paces(cells, asked, ways, crew)
        measured = {str(way): pace.step for way, pace in found.measured.items()}
        if not found.unmeasured:
            remember(key, measured)
    best = min(ways, key=lambda way: measured.get(str(way), math.inf))
    faster = measured.get(str(best), math.inf) < statistics.mean(_by_itself(how, asked) for how in hows)
    taken = {"way": to_dict(best), "called": str(best)} if faster else {}
    return [how | {"measured": how["measured"] | measured} | taken for how in hows]


def _by_itself(how: Mapping[str, Any], asked: Asked) -> float:
    """A run's step in the cell's own best way; infinite where that is no stack and one is asked for."""
    if asked.stack and how["way"]["stack"] == "none":
        return math.inf
    return min(how["measured"].values(), default=math.inf)


def _how(planned: PlannedCell, asked: Asked, crew: Crew) -> dict[str, Any]:
    how = _recalled(planned, asked)
    if how is None:
        how = _measure(planned, asked, asked.ways(), crew)
        if not how["unmeasured"]:  # what had no place today may have it tomorrow
            remember(_question(planned, asked), how)
    per_epoch = how["steps_per_epoch"]
    steps = None if per_epoch is None else planned.candidates[0].spec.total_steps(per_epoch)
    return how | {"steps": steps, "seeds": len(asked.seeds)}


def _recalled(planned: PlannedCell, asked: Asked) -> dict[str, Any] | None:
    """What was measured earlier, if the way found then is one that may be chosen now."""
    how = recall(_question(planned, asked))
    return how if how is not None and _way(how) in asked.ways() else None


def _question(planned: PlannedCell, asked: Asked) -> list[Any]:
    return question([planned], len(asked.seeds), asked.rule, asked.ways())


def _way(how: Mapping[str, Any]) -> Way | None:
    """The way that is recorded; None if it is of another vitlab."""
    try:
        return from_dict(Way, how["way"])
    except (KeyError, SpecError):
        return None


def _measure(planned: PlannedCell, asked: Asked, ways: list[Way], crew: Crew) -> dict[str, Any]:
    """The seconds that one step of one run takes in each way, and of a run that has the machine to itself."""
    alone = [way for way in ways if way.jobs == 1 and way.stack == "none"] or [Way("none", 1, ways[0].kernel)]
    found = _paces([planned], asked, list(dict.fromkeys([*ways, *alone])), crew)
    steps = {way: pace.step for way, pace in found.measured.items()}
    fastest = min((found.measured[way] for way in alone if way in found.measured), default=None)
    any_way = next(iter(found.measured.values()), None)
    taken = min(ways, key=lambda way: steps.get(way, math.inf))
    return {
        "way": to_dict(taken),
        "called": str(taken),  # for those who read it without torch
        "measured": {str(way): steps[way] for way in ways if way in steps},
        "alone": fastest and fastest.step,  # these two are a cell's costs
        "image": fastest and fastest.image,
        "steps_per_epoch": any_way and any_way.steps_per_epoch,
        "unmeasured": found.unmeasured,
    }


class _Paces(NamedTuple):
    """What a few steps have shown, and why some could not be taken."""

    measured: dict[Way, Measured]  # the seconds of a step are one run's
    unmeasured: dict[str, str]


def _paces(cells: Sequence[PlannedCell], asked: Asked, ways: Sequence[Way], crew: Crew) -> _Paces:
    measured, unmeasured = {}, {}
    for way in ways:
        try:
            measured[way] = _pace(cells, asked, way, crew)
        except UserError as error:  # a stack may need more memory than there is, and a cell may be impossible
            unmeasured[str(way)] = str(error)
    return _Paces(measured, unmeasured)


def _pace(cells: Sequence[PlannedCell], asked: Asked, way: Way, crew: Crew) -> Measured:
    """How fast one run is trained in this way, all runs counted that are trained meanwhile."""
    seeds = asked.seeds[:1] if way.stack == "none" else asked.seeds
    specs = [replace(planned.candidates[0].spec, seed=seed) for planned in cells for seed in seeds]
    request = {
        "specs": [to_dict(spec) for spec in specs],
        "wishes": asked.wishes_for(way, specs[0], len(specs)),
        "seconds": SECONDS,
    }
    found = crew.paces([request] * way.jobs)
    return found._replace(step=found.step / len(specs) / way.jobs)
