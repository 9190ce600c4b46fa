"""How long a step takes under given choices: what the machine chooses by."""

import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from vitlab.data.images import ImageSet
from vitlab.train.choices import Choices
from vitlab.train.loop import build_loop
from vitlab.train.spec import RunSpec

TRIAL_BATCH = 64  # samples; enough to tell precisions and kernels apart
ENOUGH = 2.0  # seconds of trial after which no more steps are taken
STEPS = 5


def seconds_per_step(specs: Sequence[RunSpec], images: ImageSet, indices: Tensor, choices: Choices) -> float:
    """The fastest of a few training steps, after one to warm up. Trains nothing that is kept."""
    small = [replace(spec, batch_size=min(spec.batch_size, TRIAL_BATCH)) for spec in specs]
    loop = build_loop(small, images, indices, choices)
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) <= STEPS and (len(taken) < 2 or time.perf_counter() - started < ENOUGH):
        before = time.perf_counter()
        loop.step()
        if choices.device != "cpu":
            torch.accelerator.synchronize()
        taken.append(time.perf_counter() - before)
    return min(taken[1:])
