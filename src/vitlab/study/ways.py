"""How a cell's seeds are trained: one by one, stacked in one process, or side by side in several.

A stack may hold the runs of one cell, or those of all cells that share a structure (`vitlab.train.alike`).

Which is fastest depends on the machine and on the model's size, so it is measured on the cell's own shapes, recorded,
and used again by every resume; and remembered, as other choices are. All give each seed the result that it would have
alone, up to rounding.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vitlab.base.env import process_cores
from vitlab.base.spec import Spec, from_dict, to_dict, without
from vitlab.nn.kernel import Kernel
from vitlab.study.plan import PlannedCell
from vitlab.train.choices import Choices, Wishes, by_rule, candidates
from vitlab.train.spec import RunSpec

Stack = Literal["none", "cell", "cells"]

PROCESSES_A_GPU = 4  # that are tried side by side on one
NO_WORK = (  # settings that change nothing about what a step computes, only its numbers, or how many steps there are
    *("seed", "val_seed", "epochs", "steps", "optim.lr", "optim.weight_decay", "optim.schedule"),
    *("preprocess", "evaluate_every", "weights", "test_every_epoch", "evaluate_with_dropout"),
)


@dataclass(frozen=True)
class Way(Spec):
    """`stack`: whose runs one process trains at once, if it trains more than one: a cell's, or those of all its like.

    `jobs`: processes at once, which share the cores. `kernel`: of attention.
    """

    stack: Stack
    jobs: int
    kernel: Kernel

    def __str__(self) -> str:
        said = {"none": "one by one", "cell": "stacked", "cells": "stacked with its like"}[self.stack]
        if self.jobs > 1:
            said = f"{said}, {self.jobs} at once" if self.stack != "none" else f"{self.jobs} side by side"
        return f"{said}, {self.kernel} attention"

    def wishes(self, asked: Wishes, rule: Choices, spec: RunSpec, runs: int) -> Wishes:
        """What a process that trains `runs` of these is told: its share of cores and memory, and nothing to choose."""
        shared = asked.threads or max(1, process_cores() // self.jobs)
        fitting = by_rule(asked, spec.model, spec.batch_size, runs * self.jobs).micro_batch
        said = {"device": rule.device, "precision": rule.precision, "kernel": self.kernel}
        return from_dict(Wishes, to_dict(asked) | said | {"threads": shared, "micro_batch": fitting})


def possible(rule: Choices, asked: Wishes, runs: int, jobs: int | None, stack: bool | None) -> list[Way]:
    """The ways that may be the fastest for a cell by itself, one by one first where it is among them.

    `runs`: its seeds; `jobs` and `stack` as asked.
    """
    several = process_cores() if rule.device == "cpu" else PROCESSES_A_GPU
    shares = [jobs] if jobs else [1, several] if several > 1 else [1]
    stacks: list[Stack] = ["none", "cell"] if stack is None else ["cell"] if stack else ["none"]
    ways = []
    for held, share in itertools.product(stacks, shares):
        if held == "cell" and (runs == 1 or (share > 1 and not jobs)):
            continue
        kernels = [choice.kernel for choice in _kernels(rule, asked, runs if held == "cell" else 1)]
        ways += [Way(held, share, kernel) for kernel in kernels]
    return ways or [Way("none", shares[0], _kernels(rule, asked, 1)[0].kernel)]


def together(rule: Choices, asked: Wishes, runs: int, jobs: int | None, stack: bool | None) -> list[Way]:
    """The ways that cells of one structure, with so many `runs` in all, may be trained in one process."""
    if stack is False or jobs not in (None, 1):
        return []
    return [Way("cells", 1, choice.kernel) for choice in _kernels(rule, asked, runs)]


def _kernels(rule: Choices, asked: Wishes, runs: int) -> list[Choices]:
    """The kernels that a trial of a single training would try; the precision is the study's."""
    if rule.device != "cpu" or rule.deterministic:
        return [rule]
    found = candidates(asked, rule, runs)
    return [choice for choice in found if choice.precision == rule.precision]


def question(cells: Sequence[PlannedCell], seeds: int, rule: Choices, ways: list[Way]) -> list[Any]:
    """What a measurement of these ways decides, as plain JSON: the same for cells whose steps do the same work."""
    work = [without(to_dict(planned.candidates[0].spec), NO_WORK) for planned in cells]
    return ["study", work, seeds, to_dict(rule), [to_dict(way) for way in ways]]
