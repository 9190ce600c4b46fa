"""The throughput of R runs here: the time of a training step, and of a forward pass, on their own shapes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from vitlab.data.images import ImageSet
from vitlab.devices import waiting_for
from vitlab.train.machine.choices import Overrides, by_rule
from vitlab.train.spec import RunSpec
from vitlab.train.split import split_training
from vitlab.train.step.assemble import build_loop

LEAST = 3  # calls in a measurement


class Throughput:
    """Runs ready to be timed: built, and warm after a step that chose kernels and took memory."""

    def __init__(self, specs: Sequence[RunSpec], overrides: Overrides, images: ImageSet | None = None):
        """`images`: those of the runs, where they are loaded already."""
        first = specs[0]
        choices = by_rule(overrides, first.model, first.batch_size, len(specs))
        self.threads, self.device = choices.threads, torch.device(choices.device)
        torch.set_num_threads(self.threads)
        images = images or first.load_images()
        images = replace(images, train=images.train.to(choices.device))
        self.loop = build_loop(specs, images, split_training(first, images)[0], choices)
        self.wait = waiting_for(choices.device)
        self.warm_up = self._seconds(self.loop.step, 1)

    def seconds_per_step(self, seconds: float) -> float:
        """The mean over as many steps as fit into about that many seconds."""
        return self._mean(self.loop.step, seconds)

    def timed(self, seconds: float) -> tuple[float, float, float | None]:
        """Seconds of a step and of an image; and how much of that time this process was computing, as a share of its
        threads: less than all of it if the machine has other work. None on a device whose work is not ours to count.
        """
        torch.set_num_threads(self.threads)
        before, started = time.process_time(), time.perf_counter()
        step, image = self.seconds_per_step(seconds), self.seconds_per_image(seconds / 4)
        if self.device.type != "cpu":
            return step, image, None
        return step, image, (time.process_time() - before) / (time.perf_counter() - started) / self.threads

    def seconds_per_image(self, seconds: float) -> float:
        """The same of a forward pass: of a micro-batch, over its images."""
        batch = self.loop.loader.batch(self.loop.state.step)
        some = slice(self.loop.gradient.micro_batch)
        images, targets, keys = (values[:, some] for values in (batch.images, batch.targets, batch.keys))

        @torch.no_grad()
        def forward() -> None:
            self.loop.scores(images, targets, keys, None)

        return self._mean(forward, seconds) / (targets.shape[0] * targets.shape[1])

    def _mean(self, work: Callable[[], None], seconds: float) -> float:
        """Of as many calls as fit, and a few at least, unless one takes longer than all of them should."""
        likely = self._seconds(work, 1)
        return likely if likely > seconds / LEAST else self._seconds(work, max(LEAST, int(seconds / likely)))

    def _seconds(self, work: Callable[[], None], calls: int) -> float:
        """A call's mean over some."""
        self.wait()
        before = time.perf_counter()
        for _ in range(calls):
            work()
        self.wait()
        return (time.perf_counter() - before) / calls
