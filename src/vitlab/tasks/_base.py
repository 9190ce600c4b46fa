"""The contract of a task: from a model and a batch to an objective and metrics, sample by sample.

Everything comes back per sample, [B], so that whoever adds it up (a micro-batch, a process, an epoch) cannot get the
weighting wrong: the batch's loss is the mean over all its samples, however they were split.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from torch import Tensor

from vitlab.base.spec import Component
from vitlab.models.vit import ViT


class Scores(NamedTuple):
    """Per-sample results: the `objective` [B] that training descends; `metrics` [B] each, the task's `loss` among them
    and, if the model has an auxiliary part, `auxiliary_loss`; `logits` [B, Y].
    """

    objective: Tensor
    metrics: dict[str, Tensor]
    logits: Tensor


@dataclass(frozen=True)
class TaskSpec(Component):
    """A task's settings."""

    family: ClassVar[str] = "vitlab.tasks"

    def scores(self, model: ViT, images: Tensor, targets: Tensor, keys: Tensor | None) -> Scores:
        """images [B, C, height, width], targets [B, Y], keys [B] or None -> per-sample scores."""
        raise NotImplementedError

    def probabilities(self, logits: Tensor) -> Tensor:
        """logits [n, Y] -> how sure the model is of each class, [n, Y]."""
        raise NotImplementedError
