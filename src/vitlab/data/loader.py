"""Training batches, gathered and augmented on the device where the pictures lie."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data.images import Images
from vitlab.data.order import Order
from vitlab.rng import sample_keys

# pixels [R, B, C, H, W], labels [R, B], keys [R, B] -> images [R, B, C, H, W], targets [R, B, Y]
Augment = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


class Batch(NamedTuple):
    """What one step trains on: images [R, B, C, H, W], targets [R, B, Y], keys [R, B]."""

    images: Tensor
    targets: Tensor
    keys: Tensor


class Loader:
    """The global batches of R runs. A batch depends on its step only, so training resumes anywhere.

    `indices` [n] are the images to train on; an epoch is one pass over them. `seeds` [R] has one seed for each run.
    """

    def __init__(self, images: Images, indices: Tensor, pipeline: Augment, batch_size: int, seeds: Tensor):
        if len(indices) == 0:
            raise DataError("there are no images to train on")
        device = images.pixels.device
        self.images, self.pipeline, self.batch_size = images, pipeline, batch_size
        self.indices, self.seeds = indices.to(device), seeds.to(device)
        self.order = Order(self.seeds, len(indices))

    @property
    def samples_per_epoch(self) -> int:
        """How many samples one epoch has."""
        return len(self.indices)

    def batch(self, step: int) -> Batch:
        """The samples at the global positions from step · B to before (step + 1) · B."""
        start, stop = step * self.batch_size, (step + 1) * self.batch_size
        chosen = self.indices[self.order.stretch(start, stop)]  # [R, B]
        keys = sample_keys(self.seeds, torch.arange(start, stop, device=chosen.device))
        images, targets = self.pipeline(self.images.pixels[chosen], self.images.labels[chosen], keys)
        return Batch(images, targets, keys)
