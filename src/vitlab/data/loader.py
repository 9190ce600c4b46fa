"""Training batches, gathered and augmented on the device where the pictures lie."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data.images import CutsOf, Pictures, Promise, Reader, to_device
from vitlab.data.order import Order
from vitlab.rng import sample_keys

AHEAD = 2  # batches whose pictures are asked for before they are needed: workers decode while the model computes


class Augmentation(Protocol):
    """What a batch goes through; `vitlab.augment.pipeline` is one."""

    def needed(self, keys: Tensor, part: slice) -> Tensor | None:
        """keys [R, B] of a global batch -> [R, n]: its samples that `part` is made of; None: all, as they are."""

    def __call__(self, pixels: Tensor, labels: Tensor, keys: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        """pixels [R, n, C, H, W] uint8, labels [R, n], keys [R, B], rows [R, n] -> images and targets of b samples."""


# ------------------------------------------------------------------------------------------------------ samples


class Samples(Protocol):
    """The endless sample streams of R runs: what stands at which global position.

    What is asked for is planned on the device `planned_on`: on the CPU where workers must be told what to read.
    """

    planned_on: torch.device

    @property
    def per_epoch(self) -> int:
        """How many samples one epoch has."""

    @property
    def unreadable(self) -> Collection[str]:
        """The names of pictures that turned out to be unreadable on the way."""

    def ask(self, start: int, stop: int, rows: Tensor | None) -> tuple[Tensor, Promise]:
        """Labels [R, n] and a promise of pixels [R, n, C, H, W]: of positions `start` to `stop` the `rows` [R, n].

        To be asked for in the order of the positions; a leap costs time where pictures are read as they come.
        """


class Indexed:
    """Pictures that can be indexed, in the exact order of `vitlab.data.order`: `indices` [n], each `repeats` times.

    `cuts_of` says which crop of a picture as it is stored a sample sees, given its key.
    """

    unreadable = ()  # they were left out before

    def __init__(
        self,
        pictures: Pictures,
        indices: Tensor,
        seeds: Tensor,
        repeats: int = 1,
        cuts_of: CutsOf = lambda keys: None,
    ):
        if len(indices) == 0:
            raise DataError("there are no images to train on")
        self.planned_on = pictures.planned_on
        self.pictures, self.labels = pictures, pictures.labels.to(self.planned_on)
        self.indices = indices.to(self.planned_on)
        self.seeds, self.cuts_of = seeds.to(self.planned_on), cuts_of
        self.order = Order(self.seeds, len(indices), repeats)
        self.per_epoch = len(indices) * repeats

    def ask(self, start: int, stop: int, rows: Tensor | None) -> tuple[Tensor, Promise]:
        chosen = self.indices[self.order.stretch(start, stop)]  # [R, B]
        cuts = self.cuts_of(sample_keys(self.seeds, torch.arange(start, stop, device=self.planned_on)))
        if rows is not None:
            chosen, cuts = chosen.gather(1, rows), cuts and cuts.gather(rows)
        return self.labels[chosen], self.pictures.ask(chosen, cuts)


class Streamed:
    """Pictures that are read as they come, by a reader for each run."""

    planned_on = torch.device("cpu")

    def __init__(self, readers: Sequence[Reader], per_epoch: int):
        self.readers, self.per_epoch = readers, per_epoch
        self._position = 0

    @property
    def unreadable(self) -> Collection[str]:
        return {name for reader in self.readers for name in reader.unreadable}

    def ask(self, start: int, stop: int, rows: Tensor | None) -> tuple[Tensor, Promise]:
        if start != self._position:
            for reader in self.readers:
                reader.go_to(start)
        self._position = stop
        read = [reader.read(stop - start) for reader in self.readers]
        pixels, labels = (torch.stack(values) for values in zip(*read, strict=True))
        if rows is not None:
            rows = to_device(rows, labels.device)
            run = torch.arange(len(rows), device=labels.device)[:, None]
            pixels, labels = pixels[run, rows], labels[run, rows]
        return labels, lambda: pixels


# ------------------------------------------------------------------------------------------------------ batches


class Batch(NamedTuple):
    """What a process trains on in one step: images [R, b, C, H, W], targets [R, b, Y], keys [R, b].

    `size` is B, how many samples the global batch has: b where a process is alone.
    """

    images: Tensor
    targets: Tensor
    keys: Tensor
    size: int


class OnItsWay(NamedTuple):
    """A batch whose pictures are on their way: keys [R, B], rows [R, n] or None, labels [R, n]."""

    keys: Tensor
    rows: Tensor | None
    labels: Tensor
    pixels: Promise


class Loader:
    """The global batches of R runs. A batch depends on its step only, so training resumes anywhere.

    `seeds` [R] has one seed for each run. `part` is what this process takes of every batch.
    """

    def __init__(
        self, samples: Samples, pipeline: Augmentation, batch_size: int, seeds: Tensor, part: slice | None = None
    ):
        self.samples, self.pipeline, self.batch_size = samples, pipeline, batch_size
        self.seeds = seeds.to(samples.planned_on)
        self.part = part or slice(0, batch_size)
        self._asked: dict[int, OnItsWay] = {}

    @property
    def per_epoch(self) -> int:
        """How many samples one epoch has."""
        return self.samples.per_epoch

    @property
    def unreadable(self) -> Collection[str]:
        """The names of pictures that turned out to be unreadable on the way."""
        return self.samples.unreadable

    def batch(self, step: int) -> Batch:
        """The samples at the global positions from step · B to before (step + 1) · B: this process's part of them."""
        steps = range(step, step + 1 + AHEAD)
        self._asked = {step: self._asked.get(step) or self._ask(step) for step in steps}
        asked = self._asked[step]  # which stays: a training looks at its first batch, then takes it
        pixels = asked.pixels()
        keys, labels = to_device(asked.keys, pixels.device), to_device(asked.labels, pixels.device)
        rows = None if asked.rows is None else to_device(asked.rows, pixels.device)
        images, targets = self.pipeline(pixels, labels, keys, rows)
        return Batch(images, targets, keys[:, self.part], self.batch_size)

    def _ask(self, step: int) -> OnItsWay:
        start, stop = step * self.batch_size, (step + 1) * self.batch_size
        keys = sample_keys(self.seeds, torch.arange(start, stop, device=self.seeds.device))
        rows = self.pipeline.needed(keys, self.part)
        return OnItsWay(keys, rows, *self.samples.ask(start, stop, rows))


class Joined:
    """Several loaders as one: the runs of the first, then those of the second, and so on."""

    def __init__(self, loaders: Sequence[Loader]):
        self.loaders = loaders
        self.per_epoch = loaders[0].per_epoch

    @property
    def unreadable(self) -> Collection[str]:
        """The names of pictures that turned out to be unreadable on the way."""
        return {name for loader in self.loaders for name in loader.unreadable}

    def batch(self, step: int) -> Batch:
        """All loaders' batches of a step."""
        images, targets, keys, sizes = zip(*(loader.batch(step) for loader in self.loaders), strict=True)
        return Batch(torch.cat(images), torch.cat(targets), torch.cat(keys), sizes[0])
