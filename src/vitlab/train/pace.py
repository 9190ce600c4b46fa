"""How fast R runs train here: the time of a step of theirs, on their own shapes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from vitlab.train.choices import Choices, Wishes, by_rule
from vitlab.train.divide import divided
from vitlab.train.loop import build_loop
from vitlab.train.spec import RunSpec

LEAST = 3  # steps in a measurement, unless one takes longer than all of it should


class Pace:
    """Runs ready to be timed: built, and warm after a step that chose kernels and took memory."""

    def __init__(self, specs: Sequence[RunSpec], wishes: Wishes):
        first = specs[0]
        choices = by_rule(wishes, first.model, first.batch_size, len(specs))
        torch.set_num_threads(choices.threads)
        images = first.data.load()
        images = replace(images, train=images.train.to(choices.device))
        self.loop = build_loop(specs, images, divided(first, images)[0], choices)
        self.wait = _waiting_for(choices)
        self.warm_up = self._seconds(1)

    def seconds_per_step(self, seconds: float) -> float:
        """The mean over as many steps as fit into about that many seconds."""
        likely = self._seconds(1)
        if likely > seconds / LEAST:
            return likely
        return self._seconds(max(LEAST, int(seconds / likely)))

    def _seconds(self, steps: int) -> float:
        """A step's mean over some."""
        self.wait()
        before = time.perf_counter()
        for _ in range(steps):
            self.loop.step()
        self.wait()
        return (time.perf_counter() - before) / steps


def _waiting_for(choices: Choices) -> Callable[[], None]:
    """What waits until the device has done all that it was given."""
    if choices.device.startswith("cuda"):
        return lambda: torch.cuda.synchronize(choices.device)
    return torch.mps.synchronize if choices.device.startswith("mps") else lambda: None
