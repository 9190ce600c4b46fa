"""Classification with soft targets: softmax or sigmoid cross-entropy, with label smoothing.

softmax:  -Σ_y t_y log softmax(z)_y                                  (R0's, DeiT's)
sigmoid:  -Σ_y t_y log σ(z_y) + (1 - t_y) log σ(-z_y), summed over classes    (AugReg's, arXiv 2106.10270)
Label smoothing makes t = (1 - s) t + s / Y (arXiv 1512.00567, section 7). It is part of the reported loss, in
validation too, as in R0.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from vitlab.base.errors import SpecError
from vitlab.models.vit import ViT
from vitlab.tasks._base import Scores, TaskSpec


@dataclass(frozen=True)
class Spec(TaskSpec):
    """`loss`: the cross-entropy; `label_smoothing`: s, the share of a target given to all classes alike."""

    loss: Literal["softmax", "sigmoid"] = "softmax"
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise SpecError(f"label_smoothing={self.label_smoothing}: must be at least 0 and below 1")

    def scores(self, model: ViT, images: Tensor, targets: Tensor, keys: Tensor | None) -> Scores:
        logits, auxiliary_loss = model.outputs(images, keys)
        logits = logits.to(targets.dtype)  # the loss in full precision, whatever computed the logits
        smooth = targets * (1 - self.label_smoothing) + self.label_smoothing / targets.shape[-1]
        label = targets.argmax(-1, keepdim=True)
        # of equal logits, common in bf16, the first class is the answer; topk gives them in any order
        top1 = logits.detach().argmax(-1, keepdim=True) == label
        top5 = logits.detach().topk(min(5, logits.shape[-1]), dim=-1).indices == label
        hits = {"top1": top1[:, 0], "top5": (top1 | top5).any(-1)}
        loss = self._cross_entropy(logits, smooth)
        # a copy: torch.compile (2.14) loses the shape of results that share memory
        metrics = {"loss": loss.detach().clone()} | {name: each.to(targets.dtype) for name, each in hits.items()}
        if auxiliary_loss is None:
            return Scores(loss, metrics, logits.detach())
        auxiliary_loss = auxiliary_loss.to(targets.dtype)
        metrics["auxiliary_loss"] = auxiliary_loss.detach().clone()
        return Scores(loss + auxiliary_loss, metrics, logits.detach())

    def probabilities(self, logits: Tensor) -> Tensor:
        return logits.softmax(-1) if self.loss == "softmax" else logits.sigmoid()

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        """[B, Y] twice -> [B]"""
        if self.loss == "softmax":
            return -(targets * log_softmax(logits, dim=-1)).sum(-1)
        return binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(-1)
