"""k-NN accuracy: whether the training images whose features are nearest to an image's are of its class.

    class = argmax_c Σ_{i among the k nearest, yᵢ = c} exp(cos(x, xᵢ) / τ)

cos is the cosine of two images' features, so neither their mean nor their length has a say; nearer neighbours have more
of one (Wu et al. 2018, arXiv 1805.01978, section 3.4; DINO, arXiv 2104.14294, with k = 20 and τ = 0.07). Nothing is
trained, so the score is of the features alone. Of equal sums the first class is the answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.devices import exact_dtype
from vitlab.evaluate._base import Evaluation, Subject
from vitlab.evaluate._training_images import ByTrainingImages
from vitlab.models.spec import ViTSpec
from vitlab.tasks._base import TaskSpec

KNN = Metric("knn", "k-NN accuracy", "fraction", "higher")
_AT_ONCE = 1 << 26  # similarities that are held


def votes(asked: Tensor, known: Tensor, labels: Tensor, num_classes: int, k: int, temperature: float) -> Tensor:
    """Features [R, b, D] and those of n training images [R, n, D] with labels [n], all of length 1 -> what the k
    nearest say of each class, [R, b, K]. Of fewer than k training images all are asked.
    """
    near, places = (asked @ known.mT).topk(min(k, known.shape[1]), dim=-1)
    weights = ((near - 1) / temperature).exp()  # at most 1: the sums keep their order, and none overflows
    return torch.einsum("rbk,rbkc->rbc", weights, one_hot(labels[places], num_classes).to(weights.dtype))


@dataclass(frozen=True)
class Spec(ByTrainingImages):
    """`k`: how many neighbours are asked; `temperature`: τ, the lower, the more the nearest have to say."""

    why_held_out: ClassVar[str] = "every image would be its own neighbour"
    k: int = 20
    temperature: float = 0.07

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k < 1:
            raise SpecError(f"knn.k={self.k}: must be 1 or more")
        if self.temperature <= 0:
            raise SpecError(f"knn.temperature={self.temperature}: must be positive")

    def metrics(self, task: TaskSpec, model: ViTSpec) -> tuple[Metric, ...]:
        return (KNN,)

    @torch.no_grad()
    def evaluate(self, subject: Subject) -> Evaluation:
        train, images = subject.pictures("train"), len(subject.pictures(self.split))
        classes, labels = train.labels.unique(return_inverse=True)
        known = _of_length_one(subject.features_of(train))
        labels = labels.to(known.device)
        right = []
        for batch in subject.batches(self.split):
            for asked, truth in _in_parts(_of_length_one(subject.features(batch.images)), batch.labels, known.shape):
                said = votes(asked, known, labels, len(classes), self.k, self.temperature).argmax(-1)
                right.append(classes.to(said.device)[said] == truth)
        hits = torch.cat(right, dim=1)
        total = hits.sum(dim=1, dtype=exact_dtype(hits.device))
        subject.processes.all_reduce([total])
        return Evaluation(
            [{KNN.name: mean} for mean in (total / images).tolist()], scores={KNN.name: hits.float().cpu()}
        )


def _of_length_one(features: Tensor) -> Tensor:
    return normalize(features.float(), dim=-1)


def _in_parts(asked: Tensor, labels: Tensor, known: torch.Size) -> Iterator[tuple[Tensor, Tensor]]:
    """Images [R, b, D] and their labels [b], so many at once that their similarities can be held."""
    size = max(_AT_ONCE // (known[0] * known[1]), 1)
    return zip(asked.split(size, dim=1), labels.split(size), strict=True)
