"""Classification with soft targets: softmax or sigmoid cross-entropy, with label smoothing.

softmax:  -Σ_y t_y log softmax(z)_y                                  (R0's, DeiT's)
sigmoid:  -Σ_y t_y log σ(z_y) + (1 - t_y) log σ(-z_y), summed over classes    (AugReg's, arXiv 2106.10270)
Label smoothing makes t = (1 - s) t + s / Y (arXiv 1512.00567, section 7). It is part of the reported loss, in
validation too, as in R0.

Class weights let rarer classes count for more: an image's objective is its loss times Σ_y t_y w_y, so times w_c for an
image of class c alone. "balanced" is w_c = n / (K n_c) for n_c of n training images, in K classes: scikit-learn's
class_weight="balanced". Over the training images w is 1 in the mean, and a batch's objective is the plain mean over its
images; torch's cross_entropy(weight=…) divides by the batch's own Σ w, so that an image counts by what else is in its
batch. The reported loss is without weights, so it can be compared with that of other runs.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.devices import exact_dtype
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.tasks._base import LOGITS, Scores, Task, TaskSpec

LOSS = Metric("loss", "loss", "nats", "lower")
AUXILIARY_LOSS = Metric("auxiliary_loss", "auxiliary loss", "", "lower")
TOP1 = Metric("top1", "top-1", "fraction", "higher", counts_right=True)
TOP5 = Metric("top5", "top-5", "fraction", "higher", brief=False)
FIVE = 5  # classes of which each image's is among the five likeliest: that is no achievement, and not measured


class Classify(Task):
    """Cross-entropy of the model's logits, and its auxiliary part's loss on top if it has one."""

    class_weights: Tensor | None  # [Y]

    def __init__(self, spec: "Spec", num_classes: int):
        super().__init__()
        self.spec, self.num_classes = spec, num_classes
        self.register_buffer("class_weights", None, persistent=False)

    def adapt(self, labels: Tensor | None) -> None:
        if self.spec.class_weights == "none":
            return
        if labels is None:
            raise SpecError(
                f"task.class_weights={self.spec.class_weights} and data.streaming=True: the classes of a stream cannot "
                "be counted before; set task.class_weights=none"
            )
        self.class_weights = balanced_weights(labels, self.num_classes)

    def forward(self, model: ViT, images: Tensor, targets: Tensor, keys: Tensor, noise: Tensor | None) -> Scores:
        """[B, C, height, width], [B, Y], [B], [B] -> per-sample scores"""
        logits, auxiliary_loss = model.outputs(images, noise)
        logits = logits.to(targets.dtype)  # the loss in full precision, whatever computed the logits
        smooth = targets * (1 - self.spec.label_smoothing) + self.spec.label_smoothing / targets.shape[-1]
        loss = self._cross_entropy(logits, smooth)
        # a copy: torch.compile (2.14) loses the shape of results that share memory
        metrics = {"loss": loss.detach().clone(), **_hits(logits.detach(), targets)}
        outputs = {LOGITS: logits.detach()}
        objective = loss if self.class_weights is None else loss * self._weight(targets)
        if auxiliary_loss is None:
            return Scores(objective, metrics, outputs)
        auxiliary_loss = auxiliary_loss.to(targets.dtype)
        metrics["auxiliary_loss"] = auxiliary_loss.detach().clone()
        return Scores(objective + auxiliary_loss, metrics, outputs)

    def _weight(self, targets: Tensor) -> Tensor:
        """[B, Y] -> [B]"""
        assert self.class_weights is not None
        return (targets * self.class_weights.to(targets.dtype)).sum(-1)

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        """[B, Y] twice -> [B]"""
        if self.spec.loss == "softmax":
            return -(targets * log_softmax(logits, dim=-1)).sum(-1)
        return binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(-1)


def balanced_weights(labels: Tensor, num_classes: int) -> Tensor:
    """labels [n] -> the weight of each class, [Y]: as much for each that occurs, and 1 in the mean over the images."""
    counts = torch.bincount(labels, minlength=num_classes)
    return len(labels) / (counts.count_nonzero() * counts.clamp(min=1)).to(exact_dtype(labels.device))


def _hits(logits: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """[B, Y] twice -> whether the likeliest class is the target's, and, of more than five classes, one of the five
    likeliest: 0 or 1, [B] each
    """
    label = targets.argmax(-1, keepdim=True)
    # of equal logits, common in bf16, the first class is the answer; topk gives them in any order
    first = logits.argmax(-1, keepdim=True) == label
    hits = {"top1": first[:, 0].to(targets.dtype)}
    if logits.shape[-1] > FIVE:
        among = logits.topk(FIVE, dim=-1).indices == label
        hits["top5"] = (first | among).any(-1).to(targets.dtype)
    return hits


@dataclass(frozen=True)
class Spec(TaskSpec):
    """`loss`: the cross-entropy; `label_smoothing`: s, the share of a target given to all classes alike;
    `class_weights`: balanced lets rarer classes count for more in training.
    """

    selects: ClassVar[str] = "top1"
    has_logits: ClassVar[bool] = True
    loss: Literal["softmax", "sigmoid"] = "softmax"
    label_smoothing: float = 0.0
    class_weights: Literal["none", "balanced"] = "none"

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise SpecError(f"label_smoothing={self.label_smoothing}: must be at least 0 and below 1")

    def build(self, model: ViTSpec) -> Task:
        return Classify(self, model.num_classes)

    def metrics(self, model: ViTSpec) -> tuple[Metric, ...]:
        losses = (LOSS, AUXILIARY_LOSS) if model.auxiliary.adds_loss else (LOSS,)
        hits = (TOP1, TOP5) if model.num_classes > FIVE else (TOP1,)
        return losses + hits

    def probabilities(self, logits: Tensor) -> Tensor:
        return logits.softmax(-1) if self.loss == "softmax" else logits.sigmoid()
