"""Few-shot accuracy: what a linear classifier of the frozen features tells that has seen a few images of every class.

    W = argmin Σᵢ ‖Wᵀxᵢ − yᵢ‖² + λ ‖W‖²,    yᵢ ∈ {−1, 1}^K            (arXiv 2010.11929, section 4.1)

in closed form, so nothing is trained and no rate is chosen. Features are standardised by the mean and deviation (plus
1e-5) of the images that were seen; a constant feature of 100, whose weight is the bias, is appended, so that λ hardly
holds the bias back. Constants are those of the published code (google-research/big_vision, `fewshot_lsr.py`).

Of fewer images than features the dual form is solved, W = Xᵀ (X Xᵀ + λ)⁻¹ Y, else the primal, W = (Xᵀ X + λ)⁻¹ Xᵀ Y:
the same W, in fewer operations.

Which images are seen is drawn again and again from the training images, and is the same for every run. The score is the
mean over these draws; beside it stands how much they differ. More shots contain fewer: a draw's five contain its one.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.data.images import Pictures
from vitlab.devices import exact_dtype
from vitlab.evaluate._base import Evaluation, Subject
from vitlab.evaluate._training_images import ByTrainingImages
from vitlab.models.spec import ViTSpec
from vitlab.rng import sample_keys, subkeys
from vitlab.tasks._base import TaskSpec

CONSTANT = 100.0  # the feature that is appended
_LEAST_DEVIATION = 1e-5  # is added to every feature's deviation


class LinearClassifier(NamedTuple):
    """R of them: mean and deviation of the features [R, 1, D], weights [R, D + 1, K]."""

    mean: Tensor
    deviation: Tensor
    weight: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """[R, b, D] -> logits [R, b, K]"""
        return _standardised(features, self.mean, self.deviation) @ self.weight


def fitted(features: Tensor, labels: Tensor, num_classes: int, ridge: float) -> LinearClassifier:
    """The classifiers of the features [R, n, D] of n images with labels [n]; `ridge` is λ."""
    mean = features.mean(dim=1, keepdim=True)
    deviation = features.std(dim=1, keepdim=True, correction=0) + _LEAST_DEVIATION
    seen = _standardised(features, mean, deviation)
    targets = 2.0 * one_hot(labels, num_classes).to(seen.dtype) - 1.0
    images, dims = seen.shape[1:]
    if images < dims:
        weight = seen.mT @ _solved(seen @ seen.mT, targets.expand(len(seen), -1, -1), ridge)
    else:
        weight = _solved(seen.mT @ seen, seen.mT @ targets, ridge)
    return LinearClassifier(mean, deviation, weight)


def _standardised(features: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """[R, n, D] -> [R, n, D + 1]"""
    return pad((features - mean) / deviation, (0, 1), value=CONSTANT)


def _solved(gram: Tensor, targets: Tensor, ridge: float) -> Tensor:
    """(gram [R, m, m] + ridge) \\ targets [R, m, K]"""
    held = gram + ridge * torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    return torch.cholesky_solve(targets, torch.linalg.cholesky(held))


def drawn(labels: Tensor, shots: int, draw: int) -> Tensor | None:
    """Of images with labels [n] some of every class, as many of each: their places [K · shots], class by class. None
    where a class has not as many.
    """
    keys = subkeys(sample_keys(torch.tensor([draw]), torch.arange(len(labels))), "few_shot")[0]
    by_chance = keys.argsort()
    by_class = by_chance[labels[by_chance].argsort(stable=True)]
    counts = labels.unique(return_counts=True)[1]
    if int(counts.min()) < shots:
        return None
    first = counts.cumsum(0) - counts
    return by_class[first[:, None] + torch.arange(shots)].flatten()


@dataclass(frozen=True)
class Spec(ByTrainingImages):
    """`shots`: training images of every class, each number a metric of its own, which has no value where a class has
    fewer; `draws`: how often they are drawn; `ridge`: λ.
    """

    why_held_out: ClassVar[str] = "the shots are drawn from the training images"
    shots: tuple[int, ...] = (1, 5, 10, 25)
    draws: int = 10
    ridge: float = 1024.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.shots or min(self.shots) < 1 or len(set(self.shots)) < len(self.shots):
            raise SpecError(f"few_shot.shots={list(self.shots)}: must be different numbers, 1 or more")
        if self.draws < 1:
            raise SpecError(f"few_shot.draws={self.draws}: must be 1 or more")
        if self.ridge <= 0:
            raise SpecError(f"few_shot.ridge={self.ridge}: must be positive")

    def metrics(self, task: TaskSpec, model: ViTSpec) -> tuple[Metric, ...]:
        return tuple(
            metric
            for shots in self.shots
            for metric in (
                Metric(f"few_shot_{shots}", f"{shots}-shot accuracy", "fraction", "higher", brief=shots == 5),
                Metric(
                    *(f"few_shot_{shots}_spread", f"{shots}-shot accuracy, deviation over draws", "fraction", "lower"),
                    brief=False,
                ),
            )
        )

    @torch.no_grad()
    def evaluate(self, subject: Subject) -> Evaluation:
        train, images = subject.pictures("train"), len(subject.pictures(self.split))
        classes, labels = train.labels.cpu().unique(return_inverse=True)
        places = {shots: [drawn(labels, shots, draw) for draw in range(self.draws)] for shots in self.shots}
        possible = {shots: torch.stack(each) for shots, each in places.items() if each[0] is not None}  # type: ignore[arg-type]
        classifiers = self._classifiers(subject, train, possible, labels, len(classes))
        hits: dict[int, list[Tensor]] = {shots: [] for shots in possible}
        for batch in subject.batches(self.split):
            features = _exact(subject.features(batch.images))
            answers = classes.to(batch.labels.device)
            for shots, each in classifiers.items():
                right = [answers[classifier(features).argmax(-1)] == batch.labels for classifier in each]
                hits[shots].append(torch.stack(right, dim=1).to(features.dtype))  # [R, draws, b]
        return self._told(subject, {shots: torch.cat(each, dim=2) for shots, each in hits.items()}, images)

    def _classifiers(
        self, subject: Subject, train: Pictures, places: dict[int, Tensor], labels: Tensor, num_classes: int
    ) -> dict[int, list[LinearClassifier]]:
        """By the number of shots one a draw, of `places` [draws, n] in `train`, which has these `labels` [N]."""
        if not places:
            return {}
        seen = torch.cat([each.flatten() for each in places.values()]).unique()
        features = _exact(subject.features_of(train.subset(seen)))
        labels = labels[seen]

        def of(draw: Tensor) -> LinearClassifier:
            at = torch.searchsorted(seen, draw)
            chosen = at.to(features.device)
            return fitted(features[:, chosen], labels[at].to(features.device), num_classes, self.ridge)

        return {shots: [of(draw) for draw in draws] for shots, draws in places.items()}

    def _told(self, subject: Subject, hits: dict[int, Tensor], images: int) -> Evaluation:
        """By the number of shots whether this process's images were right, [R, draws, m] -> what was measured."""
        accuracies = {shots: right.sum(dim=2) / images for shots, right in hits.items()}  # [R, draws]
        subject.processes.all_reduce(list(accuracies.values()))
        nothing = torch.full((subject.runs, self.draws), float("nan"))
        metrics: list[dict[str, float]] = [{} for _ in range(subject.runs)]
        for shots in self.shots:
            by_draw = accuracies.get(shots, nothing)
            spread = by_draw.std(dim=1) if self.draws > 1 else torch.full((subject.runs,), float("nan"))
            for values, mean, deviation in zip(metrics, by_draw.mean(dim=1).tolist(), spread.tolist(), strict=True):
                values |= {f"few_shot_{shots}": mean, f"few_shot_{shots}_spread": deviation}
        scores = {f"few_shot_{shots}": right.mean(dim=1).float().cpu() for shots, right in hits.items()}
        return Evaluation(metrics, scores=scores)


def _exact(features: Tensor) -> Tensor:
    """In the precision that sums over many images are taken in."""
    return features.to(exact_dtype(features.device))
