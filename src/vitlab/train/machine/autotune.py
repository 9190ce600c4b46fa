"""Choices by trial: on a CPU the candidates take a few training steps in turn, and the fastest wins.

The winner is remembered (`vitlab.train.machine.cache`). Where the trials would take more than a tenth of the training,
the rule decides.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.going_on import going_on
from vitlab.base.identity import spec_id
from vitlab.base.spec import from_dict, to_dict
from vitlab.data.images import ImageSet
from vitlab.models.cost import cost
from vitlab.train.machine.cache import keep_answer, read_answer
from vitlab.train.machine.choices import Choices, Overrides, by_rule, candidates
from vitlab.train.spec import RunSpec
from vitlab.train.step.assemble import build_loop
from vitlab.train.step.loop import Loop

TOO_SHORT = "measuring would take over a tenth of so short a training: the rule decides"
TRIAL_FLOPS = 1e10  # for one trial step, forward and backward: about half a second on two cores
ROUNDS = 5
ENOUGH = 6.0  # seconds of trial after which no further round begins
SHARE = 0.1  # of the training that all trials may take
CLEARLY = 0.93  # a candidate must take less than this part of the rule's time, or noise would decide


def choose(
    overrides: Overrides, specs: Sequence[RunSpec], images: ImageSet, indices: Tensor, console: Console | None = None
) -> Choices:
    """How these runs are to be computed on this machine. A GPU needs no trial, and who wants the same bits no clock.

    `console` is told of a trial, or that the training is too short for one.
    """
    rule = by_rule(overrides, specs[0].model, specs[0].batch_size, len(specs))
    torch.set_num_threads(rule.threads)
    if rule.device != "cpu" or rule.deterministic:
        return rule
    tried = candidates(overrides, rule, len(specs))
    if len(tried) == 1:
        return tried[0]
    question = _question(specs, tried)
    known = read_answer(question)
    winner = _legal(known, tried)
    if winner is None:
        console = console or Console(quiet=True)
        with going_on(console, f"measuring which of {len(tried)} ways to train is the fastest here"):
            winner = _race(tried, specs, images, indices)
        if winner is None:  # not kept: a longer training may find out
            console.print(TOO_SHORT, highlight=False)
            return _legal(read_answer(question), tried) or rule
        winner = _legal(keep_answer(question, to_dict(winner), known=known), tried) or winner
    return winner


def _question(specs: Sequence[RunSpec], tried: Sequence[Choices]) -> list[Any]:
    """What this race decides, and between whom: the same for any number of stacked seeds."""
    return [spec_id(specs[0].model), specs[0].batch_size, [to_dict(choice) for choice in tried]]


def _legal(answer: Mapping[str, Any] | None, tried: Sequence[Choices]) -> Choices | None:
    """The choice that was remembered, if it is one that may be made."""
    try:
        winner = from_dict(Choices, answer) if answer else None
    except SpecError:  # of another vitlab
        return None
    return winner if winner in tried else None


def _race(tried: Sequence[Choices], specs: Sequence[RunSpec], images: ImageSet, indices: Tensor) -> Choices | None:
    """Turn by turn, so that a machine that slows down slows for all; the fastest step of each counts.

    None where that would take more than its `SHARE` of the training.
    """
    flops = len(specs) * cost(specs[0].model).step_flops
    batch = min(specs[0].batch_size, max(2, int(TRIAL_FLOPS / flops)))
    small = [replace(spec, batch_size=batch) for spec in specs]

    def loop(choice: Choices) -> Loop:
        return build_loop(small, images, indices, replace(choice, micro_batch=batch))

    loops = [loop(tried[0])]
    allowed = SHARE * _images_seen(specs[0], loops[0]) / batch / len(tried)  # steps of trial for each
    if allowed < 2:
        return None
    first, a_step = _seconds(loops[0]), _seconds(loops[0])  # the first chooses kernels and allocates, or compiles
    rounds = min(ROUNDS, int(allowed - first / a_step))
    if rounds < 1:
        return None
    loops += map(loop, tried[1:])
    return tried[_fastest(loops, rounds, a_step)]


def _images_seen(spec: RunSpec, loop: Loop) -> int:
    """How many images the training will see."""
    return spec.batch_size * spec.total_steps(loop.loader.per_epoch / spec.batch_size)


def _fastest(loops: Sequence[Loop], rounds: int, rules: float) -> int:
    """Which of the loops is the fastest; the first, the rule's, has taken its step of the first round in `rules`."""
    fastest, started = [rules], time.perf_counter()
    for loop in loops[1:]:
        _seconds(loop)
        fastest.append(_seconds(loop))
    for _ in range(1, rounds):
        if time.perf_counter() - started > ENOUGH:
            break
        fastest = [min(best, _seconds(loop)) for best, loop in zip(fastest, loops, strict=True)]
    best = min(range(len(loops)), key=fastest.__getitem__)
    return best if fastest[best] < CLEARLY * fastest[0] else 0


def _seconds(loop: Loop) -> float:
    before = time.perf_counter()
    loop.step()
    return time.perf_counter() - before
