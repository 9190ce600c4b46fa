"""The gradient of a batch's mean loss, micro-batch by micro-batch."""

import torch
from torch import Tensor

from vitlab.data.loader import Batch
from vitlab.evaluate.sums import added
from vitlab.processes import ALONE, Processes
from vitlab.train.stack import ScoreFunction
from vitlab.train.weights import Weights


class BatchGradient:
    """Computes flat gradients of R runs, and remembers how the batch scored.

    Losses come per sample and are divided by the size of the whole batch, so any micro-batch, the smaller last one
    included, gives the gradient of the undivided batch; and so does any number of processes, which add up theirs.
    """

    def __init__(self, scores: ScoreFunction, weights: Weights, micro_batch: int, processes: Processes = ALONE):
        self.scores, self.weights, self.micro_batch, self.processes = scores, weights, micro_batch, processes
        self.totals: dict[str, Tensor] = {}  # sums over the last batch's samples, [R] each

    def __call__(self, batch: Batch) -> list[Tensor]:
        """-> the gradient, one flat [R, P] for each parameter group."""
        self.weights.publish()
        self.totals = {}
        leaves = list(self.weights.leaves.values())
        for start in range(0, batch.images.shape[1], self.micro_batch):
            part = slice(start, start + self.micro_batch)
            result = self.scores(batch.images[:, part], batch.targets[:, part], batch.keys[:, part])
            # materialize_grads: a part may leave weights unused (norm1 before mixer=identity); their gradient is zero
            gradients = torch.autograd.grad(result.objective.sum() / batch.size, leaves, materialize_grads=True)
            self.weights.collect(gradients, first=start == 0)
            self.totals = added(self.totals, {name: value.sum(dim=1) for name, value in result.metrics.items()})
        self.processes.add_up([*self.weights.gradients, *self.totals.values()])
        return self.weights.gradients
