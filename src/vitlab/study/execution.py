"""`Execution`: how a cell's runs are trained: one by one, stacked in one process, or side by side in several.

A stack may hold the runs of one cell, or those of all cells that share a structure (`vitlab.train.stacking`).

Which is fastest depends on the host and on the model's size, so it is measured on the cell's own shapes, recorded, and
used again by every resume; and remembered, as other choices are. All give each seed the result that it would have
alone, up to rounding.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from vitlab.base.differences import without
from vitlab.base.env import process_cores
from vitlab.base.errors import SpecError, UserError
from vitlab.base.spec import Spec, from_dict, to_dict
from vitlab.models.vit import spec_has_kernels
from vitlab.nn.kernel import Kernel
from vitlab.study.plan import Plan, PlannedCell
from vitlab.train.machine.choices import Choices, Overrides, by_rule, candidates
from vitlab.train.spec import RunSpec

Stack = Literal["none", "cell", "cells"]

JOBS_A_CORE = 16  # at most, on this machine
PROCESSES_A_GPU = 4  # that are tried side by side on one
NO_WORK = (  # settings that change nothing about what a step computes, only its numbers, or how many steps there are
    *("seed", "val_seed", "epochs", "steps", "start", "optim.lr", "optim.weight_decay", "optim.schedule"),
    *("preprocess", "evaluators", "evaluate_every", "weights", "test_every_epoch", "evaluate_with_dropout"),
)


@dataclass(frozen=True)
class Execution(Spec):
    """`stack`: whose runs one process trains at once, if it trains more than one: a cell's, or those of similar cells.

    `jobs`: processes at once, which share the cores. `kernel`: of attention; None: as each host chooses.
    """

    stack: Stack
    jobs: int
    kernel: Kernel | None

    def __str__(self) -> str:
        said = {"none": "one by one", "cell": "stacked", "cells": "stacked with other cells"}[self.stack]
        if self.jobs > 1:
            said = f"{said}, {self.jobs} at once" if self.stack != "none" else f"{self.jobs} side by side"
        return f"{said}, {self.kernel} attention" if self.kernel else said


@dataclass(frozen=True)
class Constraints:
    """What is asked of the machine, and what follows for every cell of a study: `rule` has one device, one precision.

    `jobs` and `stack` are as asked, None where that is left open.
    """

    here: ClassVar[bool] = True  # the runs are trained on this machine

    rule: Choices
    overrides: Overrides
    seeds: tuple[int, ...]
    jobs: int | None = None
    stack: bool | None = None

    def executions(self) -> list[Execution]:
        """The executions by which any cell may be trained by itself, one by one first where it is among them."""
        several = self._processes()
        shares = [self.jobs] if self.jobs else [1, several] if several > 1 else [1]
        stacks: list[Stack] = ["none", "cell"] if self.stack is None else ["cell"] if self.stack else ["none"]
        runs, possible = len(self.seeds), []
        for held, share in itertools.product(stacks, shares):
            if held == "cell" and (runs == 1 or (share > 1 and not self.jobs)):
                continue
            possible += [Execution(held, share, kernel) for kernel in self._kernels(runs if held == "cell" else 1)]
        return possible or [Execution("none", shares[0], self._kernels(1)[0])]

    def together(self, cells: int) -> list[Execution]:
        """The executions by which so many cells of one structure may be trained at once."""
        if cells < 2 or self.stack is False or self.jobs not in (None, 1):
            return []
        return [Execution("cells", 1, kernel) for kernel in self._kernels(cells * len(self.seeds))]

    def allow(self, execution: Execution, like: int) -> bool:
        """Whether a cell may be trained in a way that was chosen before: any, unless something else is asked for now.

        `like`: how many cells share its structure, itself included.
        """
        open_ = (self.jobs, self.stack) == (None, None)
        return open_ or execution in [*self.executions(), *self.together(like)]

    def overrides_for(self, execution: Execution, spec: RunSpec, runs: int) -> dict[str, Any]:
        """What a process is told that trains `runs` of these: its share of cores and memory, and nothing to choose."""
        shared = self.overrides.threads or max(1, process_cores() // execution.jobs)
        fitting = by_rule(self.overrides, spec.model, spec.batch_size, runs * execution.jobs).micro_batch
        said = {"device": self.rule.device, "precision": self.rule.precision, "kernel": execution.kernel}
        return to_dict(self.overrides) | said | {"threads": shared, "micro_batch": fitting}

    def question(self, cells: Sequence[PlannedCell], executions: Sequence[Execution]) -> list[Any]:
        """What a measurement of these decides, as plain JSON: the same for cells whose steps do the same work, and
        for any number of seeds: more of them are not measured again.
        """
        work = [without(to_dict(planned.candidates[0].spec), NO_WORK) for planned in cells]
        return ["study", work, to_dict(self.rule), [to_dict(execution) for execution in executions]]

    def _processes(self) -> int:
        """How many are tried side by side."""
        return process_cores() if self.rule.device == "cpu" else PROCESSES_A_GPU

    def _kernels(self, runs: int) -> Sequence[Kernel | None]:
        """The kernels that a trial of a single training would try; the precision is the study's."""
        if self.rule.device != "cpu" or self.rule.deterministic:
            return [self.rule.kernel]
        tried = candidates(self.overrides, self.rule, runs)
        return [choices.kernel for choices in tried if choices.precision == self.rule.precision]


class Elsewhere(Constraints):
    """The same where runs are trained on other hosts: this machine knows no rule of them, so each is told what was
    asked for and chooses the rest for itself.
    """

    here: ClassVar[bool] = False

    def overrides_for(self, execution: Execution, spec: RunSpec, runs: int) -> dict[str, Any]:
        return to_dict(self.overrides) | ({"kernel": execution.kernel} if execution.kernel else {})

    def _processes(self) -> int:
        return 1

    def _kernels(self, runs: int) -> Sequence[Kernel | None]:
        return [self.overrides.kernel]


def constraints_of(
    plan: Plan, overrides: Overrides, jobs: int | None = None, stack: bool | None = None, here: bool = True
) -> Constraints:
    """What a study is held to: the rule of its base for all cells."""
    base = plan.study.base
    if here and jobs and jobs > (most := JOBS_A_CORE * process_cores()):
        raise UserError(f"--jobs {jobs}: processes share the cores of this machine, and at most {most} of them can")
    kind, known = (Constraints, overrides) if here else (Elsewhere, replace(overrides, device="cpu"))
    models = [candidate.spec.model for cell in plan.cells for candidate in cell.candidates]
    ruled = next(filter(spec_has_kernels, models), base.model)  # if any cell has a choice of kernels, there is one
    return kind(by_rule(known, ruled, base.batch_size, 1), overrides, plan.study.seeds, jobs, stack)


def read_execution(values: Mapping[str, Any]) -> Execution | None:
    """The one that is recorded; None if it is of another vitlab."""
    try:
        return from_dict(Execution, values)
    except SpecError:
        return None
