"""The contract of an evaluator: what is measured of a trained model, on which split, and how often.

    evaluate(subject)  -> Evaluation

A run's spec lists its evaluators. One with `when=along` measures during the training, every `every` epochs; one with
`when=end` measures once, with the weights that are kept. Records call a metric by the split and its name: `val_top1`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from vitlab.augment.pipeline import Pipeline
from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.base.spec import Component
from vitlab.data.images import Pictures
from vitlab.learner import FeatureFunction, ScoreFunction
from vitlab.models.spec import ViTSpec
from vitlab.processes import ALONE, Processes
from vitlab.rng import sample_keys, subkeys
from vitlab.tasks._base import Scores, TaskSpec

Split = Literal["train", "val", "test"]

_IMAGES = 0  # the seed of an image's own key: the same for every run, so that all are asked the same


class Prepared(NamedTuple):
    """A batch of a split, ready for R runs: images [R, b, C, height, width], targets [R, b, Y], labels [b],
    keys [R, b], noise [R, b] or None.
    """

    images: Tensor
    targets: Tensor
    labels: Tensor
    keys: Tensor
    noise: Tensor | None


@dataclass(frozen=True)
class Subject:
    """R trained learners of one structure, and all that it takes to measure them.

    `pictures` gives a split; `prepare` is what its pictures go through. Every process measures its own share of a
    split. With `noise_seeds` [R] the model draws its dropout as in training: a slip of published code, never right
    otherwise.
    """

    scores: ScoreFunction
    features: FeatureFunction
    task: TaskSpec
    pictures: Callable[[Split], Pictures]
    prepare: Pipeline
    runs: int
    batch_size: int = 512
    processes: Processes = ALONE
    noise_seeds: Tensor | None = None

    def batches(self, split: Split) -> Iterator[Prepared]:
        """This process's share of a split, in order."""
        return self.batches_of(self.pictures(split))

    def batches_of(self, pictures: Pictures) -> Iterator[Prepared]:
        """This process's share of these pictures, in order."""
        share = self.processes.shard(len(pictures))
        mine = pictures if self.processes.count == 1 else pictures.subset(torch.arange(share.start, share.stop))
        places = torch.arange(share.start, share.stop).split(self.batch_size)
        for (pixels, labels), at in zip(mine.batches(self.batch_size), places, strict=True):
            given = [values.expand(self.runs, *values.shape) for values in (pixels, labels, torch.zeros_like(labels))]
            images, targets = self.prepare(*given)
            yield Prepared(images, targets, labels, self._keys(at, images.device), self._noise(at, images.device))

    def features_of(self, pictures: Pictures) -> Tensor:
        """The features of all of these pictures, in every process: [R, n, D]"""
        mine = [self.features(batch.images) for batch in self.batches_of(pictures)]
        return self.processes.all_gather(torch.cat(mine, dim=1), len(pictures))

    def score(self, batch: Prepared) -> Scores:
        """The task's scores of a batch."""
        return self.scores(batch.images, batch.targets, batch.keys, batch.noise)

    def _keys(self, places: Tensor, device: torch.device) -> Tensor:
        """[b] -> [R, b]: every image's own, the same in every evaluation and for every run"""
        keys = subkeys(sample_keys(torch.tensor([_IMAGES]), places), "evaluate.image")
        return keys.to(device).expand(self.runs, -1)

    def _noise(self, places: Tensor, device: torch.device) -> Tensor | None:
        if self.noise_seeds is None:
            return None
        return subkeys(sample_keys(self.noise_seeds, places), "evaluate").to(device)


class Evaluation(NamedTuple):
    """What was measured: for each run its metrics by name, without the split. Of this process's m images, on the CPU:
    the logits [R, m, Y] of a task that has them; and by metric what each of them scored, [R, m], of metrics that are
    means over images.
    """

    metrics: list[dict[str, float]]
    logits: Tensor | None = None
    scores: Mapping[str, Tensor] = {}


@dataclass(frozen=True)
class EvaluatorSpec(Component):
    """An evaluator's settings.

    `split`: which images it measures on; `when`: along the training or at its end; `every`: how many epochs lie
    between two evaluations along the way, None: as many as the run's `evaluate_every`.
    """

    family: ClassVar[str] = "vitlab.evaluate"
    kind: ClassVar[str] = "evaluators"

    split: Split = "test"
    when: Literal["along", "end"] = "end"
    every: float | None = None

    def __post_init__(self) -> None:
        if self.every is not None and self.every <= 0:
            raise SpecError(f"evaluators: {self.name} has every={self.every}: must be positive")
        if self.every is not None and self.when == "end":
            raise SpecError(f"evaluators: {self.name} has every={self.every} and when=end; set when=along")
        if self.split == "test" and self.when == "along":
            raise SpecError(
                f"evaluators: {self.name} would evaluate the test split during training (when=along); if that is "
                "intended, set test_every_epoch=true, which the report then marks"
            )

    @property
    def reads(self) -> tuple[Split, ...]:
        """The splits whose pictures it looks at."""
        return (self.split,)

    def metrics(self, task: TaskSpec, model: ViTSpec) -> tuple[Metric, ...]:
        """What it measures of this task and model."""
        raise NotImplementedError

    def evaluate(self, subject: Subject) -> Evaluation:
        """Measure; every process of a job comes here at the same step and gets the same metrics."""
        raise NotImplementedError
