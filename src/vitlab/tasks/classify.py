"""Classification with soft targets: softmax or sigmoid cross-entropy, with label smoothing.

softmax:  -Σ_y t_y log softmax(z)_y                                  (R0's, DeiT's)
sigmoid:  -Σ_y t_y log σ(z_y) + (1 - t_y) log σ(-z_y), summed over classes    (AugReg's, arXiv 2106.10270)
Label smoothing makes t = (1 - s) t + s / Y (arXiv 1512.00567, section 7). It is part of the reported loss, in
validation too, as in R0.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
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

    def __init__(self, spec: "Spec"):
        super().__init__()
        self.spec = spec

    def forward(self, model: ViT, images: Tensor, targets: Tensor, keys: Tensor, noise: Tensor | None) -> Scores:
        """[B, C, height, width], [B, Y], [B], [B] -> per-sample scores"""
        logits, auxiliary_loss = model.outputs(images, noise)
        logits = logits.to(targets.dtype)  # the loss in full precision, whatever computed the logits
        smooth = targets * (1 - self.spec.label_smoothing) + self.spec.label_smoothing / targets.shape[-1]
        loss = self._cross_entropy(logits, smooth)
        # a copy: torch.compile (2.14) loses the shape of results that share memory
        metrics = {"loss": loss.detach().clone(), **_hits(logits.detach(), targets)}
        outputs = {LOGITS: logits.detach()}
        if auxiliary_loss is None:
            return Scores(loss, metrics, outputs)
        auxiliary_loss = auxiliary_loss.to(targets.dtype)
        metrics["auxiliary_loss"] = auxiliary_loss.detach().clone()
        return Scores(loss + auxiliary_loss, metrics, outputs)

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        """[B, Y] twice -> [B]"""
        if self.spec.loss == "softmax":
            return -(targets * log_softmax(logits, dim=-1)).sum(-1)
        return binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(-1)


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
    """`loss`: the cross-entropy; `label_smoothing`: s, the share of a target given to all classes alike."""

    selects: ClassVar[str] = "top1"
    has_logits: ClassVar[bool] = True
    loss: Literal["softmax", "sigmoid"] = "softmax"
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise SpecError(f"label_smoothing={self.label_smoothing}: must be at least 0 and below 1")

    def build(self, model: ViTSpec) -> Task:
        return Classify(self)

    def metrics(self, model: ViTSpec) -> tuple[Metric, ...]:
        losses = (LOSS, AUXILIARY_LOSS) if model.auxiliary.adds_loss else (LOSS,)
        hits = (TOP1, TOP5) if model.num_classes > FIVE else (TOP1,)
        return losses + hits

    def probabilities(self, logits: Tensor) -> Tensor:
        return logits.softmax(-1) if self.loss == "softmax" else logits.sigmoid()
