"""Training batches, gathered and augmented on the device where the pictures lie."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data.images import Images
from vitlab.data.order import Order
from vitlab.rng import sample_keys

AHEAD = 2  # batches whose pictures are asked for before they are needed: workers decode while the model computes


class Augmentation(Protocol):
    """What a batch goes through; `vitlab.augment.pipeline` is one."""

    def needed(self, keys: Tensor, part: slice) -> Tensor | None:
        """keys [R, B] of a global batch -> [R, n]: its samples that `part` is made of; None: all, as they are."""

    def __call__(self, pixels: Tensor, labels: Tensor, keys: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        """pixels [R, n, C, H, W] uint8, labels [R, n], keys [R, B], rows [R, n] -> images and targets of b samples."""


class Batch(NamedTuple):
    """What a process trains on in one step: images [R, b, C, H, W], targets [R, b, Y], keys [R, b].

    `size` is B, how many samples the global batch has: b where a process is alone.
    """

    images: Tensor
    targets: Tensor
    keys: Tensor
    size: int


class Asked(NamedTuple):
    """A batch whose pictures are on their way: keys [R, B], rows [R, n] or None, labels [R, n]."""

    keys: Tensor
    rows: Tensor | None
    labels: Tensor
    pixels: Callable[[], Tensor]


class Loader:
    """The global batches of R runs. A batch depends on its step only, so training resumes anywhere.

    `indices` [n] are the images to train on; an epoch is one pass over them, each `repeats` times. `seeds` [R] has one
    seed for each run. `part` is what this process takes of every batch.
    """

    def __init__(
        self,
        images: Images,
        indices: Tensor,
        pipeline: Augmentation,
        batch_size: int,
        seeds: Tensor,
        repeats: int = 1,
        part: slice | None = None,
    ):
        if len(indices) == 0:
            raise DataError("there are no images to train on")
        device = images.labels.device
        self.images, self.pipeline, self.batch_size, self.repeats = images, pipeline, batch_size, repeats
        self.part = part or slice(0, batch_size)
        self.indices, self.seeds = indices.to(device), seeds.to(device)
        self.order = Order(self.seeds, len(indices), repeats)
        self._asked: dict[int, Asked] = {}

    @property
    def samples_per_epoch(self) -> int:
        """How many samples one epoch has."""
        return len(self.indices) * self.repeats

    def batch(self, step: int) -> Batch:
        """The samples at the global positions from step · B to before (step + 1) · B: this process's part of them."""
        steps = range(step, step + 1 + AHEAD)
        self._asked = {each: self._asked.get(each) or self._ask(each) for each in steps}
        keys, rows, labels, pixels = self._asked.pop(step)
        images, targets = self.pipeline(pixels(), labels, keys, rows)
        return Batch(images, targets, keys[:, self.part], self.batch_size)

    def _ask(self, step: int) -> Asked:
        start, stop = step * self.batch_size, (step + 1) * self.batch_size
        chosen = self.indices[self.order.stretch(start, stop)]  # [R, B]
        keys = sample_keys(self.seeds, torch.arange(start, stop, device=chosen.device))
        rows = self.pipeline.needed(keys, self.part)
        if rows is not None:
            chosen = chosen.gather(1, rows)
        return Asked(keys, rows, self.images.labels[chosen], self.images.ask(chosen))
