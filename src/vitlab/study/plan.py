"""A study's runs, before anything is trained: every cell built on the meta device, checked and costed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vitlab.base.errors import SpecError
from vitlab.base.spec import plain, spec_id, to_dict
from vitlab.models.cost import Cost, cost
from vitlab.recipes import changed
from vitlab.study.design._base import Cell
from vitlab.study.spec import StudySpec
from vitlab.train.spec import RunSpec

BACKWARD = 2  # the backward pass multiplies twice: once for the inputs, once for the weights


@dataclass(frozen=True)
class Candidate:
    """A cell's run, but for the seed: the only one, or one for each value of the tuning grid."""

    name: str  # empty where nothing is tuned
    spec: RunSpec


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what it trains and what that costs."""

    cell: Cell
    folder: str  # unlike any other of the study
    candidates: tuple[Candidate, ...]
    cost: Cost

    @property
    def step_flops(self) -> int:
        """Of one optimiser step, forward and backward."""
        return (1 + BACKWARD) * self.cost.flops * self.candidates[0].spec.batch_size

    @property
    def steps(self) -> int | None:
        """About how many steps one of its runs takes; None where only a look at the data tells."""
        spec = self.candidates[0].spec
        if spec.epochs is None or spec.data.num_train is None:
            return spec.steps
        images = spec.data.num_train * (1 - spec.val_fraction) * spec.repeats
        return max(1, round(spec.epochs * images / spec.batch_size))


@dataclass(frozen=True)
class Plan:
    """All cells of a study."""

    study: StudySpec
    cells: tuple[PlannedCell, ...]

    def as_record(self) -> dict[str, Any]:
        """`plan.json`: everything that reading the study needs, without torch."""
        crossed = self.study.design.factors_crossed()
        return {
            "id": study_id(self.study),
            "question": self.study.question,
            "design": self.study.design.name,
            "metric": self.study.metric,
            "equal": self.study.equal,
            "seeds": list(self.study.seeds),
            "tune": None if self.study.tune is None else self.study.tune.name,
            "tune_seeds": self.study.tune_seeds,
            "crossed": {factor.name: [level.name for level in factor.levels] for factor in crossed},
            "cells": [_cell_record(planned) for planned in self.cells],
            "study": to_dict(self.study),
        }


def study_id(study: StudySpec) -> str:
    """What names a study: all of it but how many seeds, which may grow."""
    return spec_id(replace(study, num_seeds=1, tune_seeds=1))


def plan(study: StudySpec) -> Plan:
    """Plan a study. Raises SpecError naming every cell that cannot be, and why."""
    cells, problems = [], []
    base_flops = cost(study.base.model).flops
    for cell in study.design.cells(study.base):
        try:
            cells.append(_planned(study, cell, base_flops))
        except SpecError as error:
            problems.append(f"cell {cell.name!r}: {error}")
    if problems:
        raise SpecError("\n".join(problems))
    _refuse_twins(cells)
    return Plan(study, tuple(cells))


def _planned(study: StudySpec, cell: Cell, base_flops: int) -> PlannedCell:
    spec = changed(study.base, cell.settings)
    spent = cost(spec.model)
    spec = _held_equal(study, spec, cell, base_flops / spent.flops)
    candidates = [Candidate("", spec)]
    if study.tune is not None:
        candidates = [Candidate(level.name, changed(spec, level.settings)) for level in study.tune.levels]
    return PlannedCell(cell, slug(cell.name), tuple(candidates), spent)


def _held_equal(study: StudySpec, spec: RunSpec, cell: Cell, cheaper: float) -> RunSpec:
    """The cell's run, as long as the study says; `cheaper`: how many of its images cost what one of the base does."""
    if study.equal == "nothing":
        return spec
    base, own = study.base, [name for name in ("epochs", "steps") if name in cell.settings]
    if own:
        raise SpecError(
            f"{own[0]} is set, and equal={study.equal} is held over all cells; equal=nothing lets cells differ"
        )
    batches = spec.batch_size / base.batch_size
    images = {"steps": batches, "images": 1.0, "flops": cheaper}[study.equal]
    if base.epochs is not None:
        return replace(spec, epochs=base.epochs * images)
    assert base.steps is not None
    return replace(spec, steps=max(1, round(base.steps * images / batches)))


def _refuse_twins(cells: Sequence[PlannedCell]) -> None:
    """Two cells must not share a folder, nor be one training under two names."""
    for kind, key in (("folder", lambda each: each.folder), ("run", lambda each: spec_id(each.candidates[0].spec))):
        known: dict[str, str] = {}
        for each in cells:
            other = known.setdefault(key(each), each.cell.name)
            if other != each.cell.name:
                raise SpecError(f"cells {other!r} and {each.cell.name!r} are the same {kind}: {key(each)}")


def slug(name: str) -> str:
    """A name as a folder's name."""
    return re.sub(r"[^A-Za-z0-9.=+-]+", "-", name).strip("-") or "cell"


def _cell_record(planned: PlannedCell) -> dict[str, Any]:
    cell, spent = planned.cell, planned.cost
    return {
        "name": cell.name,
        "folder": planned.folder,
        "levels": dict(cell.levels),
        "settings": plain(cell.settings),
        "against": cell.against,
        "says": cell.says,
        "num_params": spent.num_params,
        "flops": spent.flops,
        "step_flops": planned.step_flops,
        "activation_bytes": spent.activation_bytes,
        "candidates": [
            {"name": each.name, "folder": slug(each.name) if each.name else "", "spec": to_dict(each.spec)}
            for each in planned.candidates
        ],
    }
