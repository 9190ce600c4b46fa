"""Choices by trial: on a CPU the candidates take a few training steps in turn, and the fastest wins.

The winner is remembered (`vitlab.train.machine.cache`).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.spec import from_dict, spec_id, to_dict
from vitlab.data.images import ImageSet
from vitlab.models.cost import cost
from vitlab.train.machine.cache import keep_answer, read_answer
from vitlab.train.machine.choices import Choices, Overrides, by_rule, candidates
from vitlab.train.spec import RunSpec
from vitlab.train.step.assemble import build_loop
from vitlab.train.step.loop import Loop

TRIAL_FLOPS = 1e11  # for one trial step, forward and backward: about half a second
ROUNDS = 5
ENOUGH = 6.0  # seconds of trial after which no further round begins
CLEARLY = 0.93  # a candidate must take less than this part of the rule's time, or noise would decide


def choose(overrides: Overrides, specs: Sequence[RunSpec], images: ImageSet, indices: Tensor) -> Choices:
    """How these runs are to be computed on this machine. A GPU needs no trial, and who wants the same bits no clock."""
    rule = by_rule(overrides, specs[0].model, specs[0].batch_size, len(specs))
    torch.set_num_threads(rule.threads)
    if rule.device != "cpu" or rule.deterministic:
        return rule
    tried = candidates(overrides, rule, len(specs))
    if len(tried) == 1:
        return tried[0]
    question = _question(specs, tried)
    winner = _legal(read_answer(question), tried)
    if winner is None:
        winner = _race(tried, specs, images, indices)
        keep_answer(question, to_dict(winner))
    return winner


def _question(specs: Sequence[RunSpec], tried: Sequence[Choices]) -> list[Any]:
    """What this race decides, and between whom."""
    return [spec_id(specs[0].model), specs[0].batch_size, len(specs), [to_dict(choice) for choice in tried]]


def _legal(answer: Mapping[str, Any] | None, tried: Sequence[Choices]) -> Choices | None:
    """The choice that was remembered, if it is one that may be made."""
    try:
        winner = from_dict(Choices, answer) if answer else None
    except SpecError:  # of another vitlab
        return None
    return winner if winner in tried else None


def _race(tried: Sequence[Choices], specs: Sequence[RunSpec], images: ImageSet, indices: Tensor) -> Choices:
    """Turn by turn, so that a machine that slows down slows for all; the fastest step of each counts."""
    flops = len(specs) * cost(specs[0].model).step_flops
    batch = min(specs[0].batch_size, max(2, int(TRIAL_FLOPS / flops)))
    small = [replace(spec, batch_size=batch) for spec in specs]
    loops = [build_loop(small, images, indices, replace(choice, micro_batch=batch)) for choice in tried]
    for loop in loops:
        _seconds(loop)  # the first step chooses kernels and allocates
    fastest = [float("inf")] * len(loops)
    started = time.perf_counter()
    for done in range(ROUNDS):
        if done and time.perf_counter() - started > ENOUGH:
            break
        fastest = [min(best, _seconds(loop)) for best, loop in zip(fastest, loops, strict=True)]
    best = min(range(len(tried)), key=fastest.__getitem__)
    return tried[best] if fastest[best] < CLEARLY * fastest[0] else tried[0]


def _seconds(loop: Loop) -> float:
    before = time.perf_counter()
    loop.step()
    return time.perf_counter() - before
