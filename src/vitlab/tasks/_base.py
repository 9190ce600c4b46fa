"""The contract of a task: what is learned, as a module beside the model.

    forward(model, images, targets, keys, noise)  -> Scores

Everything comes back per sample, [B], so that whoever adds it up (a micro-batch, a process, an epoch) cannot get the
weighting wrong: the batch's loss is the mean over all its samples, however they were split.

A task may own parameters (a decoder, a mask token, a head of its own). They are drawn, trained, averaged, saved and
resumed like the model's, and kept apart from them in a checkpoint.

What a task must know of the training data (how often each class occurs) it is told before the first step: `adapt`. It
is no part of a checkpoint, since the same data tell it again.

Two keys a sample, for two kinds of chance. `keys` [B] are always there and decide what belongs to the task: which
patches are masked. In an evaluation an image has the same key every time, so it is asked the same. `noise` [B] decides
what belongs to training: dropout and stochastic depth. It is None in an evaluation, and then the model has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from vitlab.base.metric import Metric
from vitlab.base.spec import Component
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT

LOGITS = "logits"  # among the outputs: [B, Y]


class Scores(NamedTuple):
    """Per-sample results: the `objective` [B] that training descends; `metrics` [B] each, those that the task names;
    `outputs` [B, …], what the task has to show besides: its `logits` [B, Y], if it has them.
    """

    objective: Tensor
    metrics: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


class Task(nn.Module):
    """Base class of the tasks."""

    def adapt(self, labels: Tensor | None) -> None:
        """Take from the pictures to train on, each once, what the objective needs to know of them: their labels [n];
        None of a stream. Called before a training, and never else: metrics must not depend on it.
        """

    def forward(self, model: ViT, images: Tensor, targets: Tensor, keys: Tensor, noise: Tensor | None) -> Scores:
        """images [B, C, height, width], targets [B, Y], keys [B], noise [B] or None -> per-sample scores"""
        raise NotImplementedError


@dataclass(frozen=True)
class TaskSpec(Component):
    """A task's settings."""

    family: ClassVar[str] = "vitlab.tasks"
    kind: ClassVar[str] = "task"
    selects: ClassVar[str] = "loss"  # the metric by which the best weights are chosen, on the validation split
    needs_labels: ClassVar[bool] = (
        True  # False: it learns from images alone, and the model's classes need not be theirs
    )
    has_logits: ClassVar[bool] = (
        False  # whether its outputs have logits, of which `probabilities` and predictions are made
    )

    @property
    def classifies(self) -> bool:
        """Whether it tells an image's class, and the image has one to compare with."""
        return self.has_logits and self.needs_labels

    def build(self, model: ViTSpec) -> Task:
        """The task for a model, its parameters not yet drawn."""
        raise NotImplementedError

    def metrics(self, model: ViTSpec) -> tuple[Metric, ...]:
        """What its scores of this model measure: `selects` is among them."""
        raise NotImplementedError

    def conflict(self, model: ViTSpec) -> str | None:
        """Why it cannot be learned by this model, naming both settings; None if it can."""
        return None

    def probabilities(self, logits: Tensor) -> Tensor:
        """logits [n, Y] -> how sure the model is of each class, [n, Y]; only of a task that has logits."""
        raise NotImplementedError
