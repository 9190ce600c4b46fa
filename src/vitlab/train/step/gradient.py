"""The gradient of a batch's mean loss, micro-batch by micro-batch."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.data.loader import Batch
from vitlab.evaluate._sums import added
from vitlab.processes import ALONE, Processes
from vitlab.train.step.stack import ScoreFunction
from vitlab.train.step.weights import Weights


class Gradient(NamedTuple):
    """The gradient of a batch, a flat [R, P] a parameter group; and its metrics, summed over samples, [R] each."""

    gradients: list[Tensor]
    totals: dict[str, Tensor]


class BatchGradient:
    """Computes flat gradients of R runs.

    Losses come per sample and are divided by the size of the whole batch, so any micro-batch, the smaller last one
    included, gives the gradient of the undivided batch; and so does any number of processes, which add up theirs.
    """

    def __init__(self, scores: ScoreFunction, weights: Weights, micro_batch: int, processes: Processes = ALONE):
        self.scores, self.weights, self.micro_batch, self.processes = scores, weights, micro_batch, processes
        self.learning = weights.learning

    def __call__(self, batch: Batch) -> Gradient:
        """The gradient at the trained weights; the next call overwrites its tensors."""
        self.weights.compute_with(self.weights.masters)
        totals: dict[str, Tensor] = {}
        for start in range(0, batch.images.shape[1], self.micro_batch):
            sums = self._collect(batch, slice(start, start + self.micro_batch))
            totals = added(totals, sums)
        self.processes.all_reduce([*self.weights.gradients, *totals.values()])
        return Gradient(self.weights.gradients, totals)

    def _collect(self, batch: Batch, rows: slice) -> Mapping[str, Tensor]:
        """Add one micro-batch's share to the flat gradients; its metrics, summed over its samples, [R] each."""
        keys = batch.keys[:, rows]
        scores = self.scores(batch.images[:, rows], batch.targets[:, rows], keys, keys)
        # materialize_grads: a part may leave weights unused (norm1 before mixer=identity); their gradient is zero
        loss = scores.objective.sum() / batch.size
        gradients = torch.autograd.grad(loss, self.learning, materialize_grads=True)
        self.weights.collect(gradients, first=rows.start == 0)
        return {name: value.detach().sum(dim=1) for name, value in scores.metrics.items()}
