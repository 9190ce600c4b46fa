"""The gradient of a batch's mean loss, micro-batch by micro-batch."""

from torch import Tensor

from vitlab.data.loader import Batch
from vitlab.evaluate.sums import added
from vitlab.processes import ALONE, Processes
from vitlab.train.graph import Replayed
from vitlab.train.part import PartGradient
from vitlab.train.stack import ScoreFunction
from vitlab.train.weights import Weights


class BatchGradient:
    """Computes flat gradients of R runs, and remembers how the batch scored.

    Losses come per sample and are divided by the size of the whole batch, so any micro-batch, the smaller last one
    included, gives the gradient of the undivided batch; and so does any number of processes, which add up theirs.
    """

    def __init__(
        self,
        scores: ScoreFunction,
        weights: Weights,
        micro_batch: int,
        processes: Processes = ALONE,
        replayed: bool = False,
    ):
        self.weights, self.micro_batch, self.processes = weights, micro_batch, processes
        part = PartGradient(scores, weights)
        self.part = Replayed(part) if replayed else part
        self.totals: dict[str, Tensor] = {}  # sums over the last batch's samples, [R] each

    def __call__(self, batch: Batch) -> list[Tensor]:
        """-> the gradient, one flat [R, P] for each parameter group."""
        self.weights.publish()
        self.totals = {}
        for start in range(0, batch.images.shape[1], self.micro_batch):
            rows = slice(start, start + self.micro_batch)
            part = self.part(batch.images[:, rows], batch.targets[:, rows], batch.keys[:, rows], batch.size)
            self.weights.collect(part.gradients, first=start == 0)
            self.totals = added(self.totals, part.sums)
        self.processes.add_up([*self.weights.gradients, *self.totals.values()])
        return self.weights.gradients
