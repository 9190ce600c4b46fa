"""`RunSpec`: everything that decides the result of one training, and nothing that does not.

What the machine may choose (device, precision, kernels, micro-batch, threads) is in `vitlab.train.machine.choices`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Literal

from vitlab.augment.ops._base import OpSpec, PixelOp, StoredOp
from vitlab.augment.pipeline import check_ops, final_size
from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.base.spec import Spec, added
from vitlab.data.images import ImageSet
from vitlab.data.sets._base import DataSpec
from vitlab.evaluate import scores
from vitlab.evaluate._base import EvaluatorSpec
from vitlab.models.spec import ViTSpec
from vitlab.optim.groups import DecayOn, Group, frozen, learning_rate_scales, parameter_groups
from vitlab.optim.optimizer import adamw
from vitlab.optim.optimizer._base import OptimizerSpec
from vitlab.optim.schedule import cosine
from vitlab.optim.schedule._base import ScheduleSpec
from vitlab.optim.update import plain
from vitlab.optim.update._base import UpdateSpec
from vitlab.tasks import classify
from vitlab.tasks._base import TaskSpec
from vitlab.train.start import scratch
from vitlab.train.start._base import StartSpec


@dataclass(frozen=True)
class OptimSpec(Spec):
    """How weights change: `lr` is the base rate, which the schedule shapes.

    Other rates are the scheduled one times a factor, so the schedule shapes all alike, warm-up and minimum included:
    `backbone_lr` / `lr` for everything but the head, and `layer_decay` ** (depth + 1 - l) in layer l, where the
    embeddings are layer 0, block i is layer i + 1, and final norm and head are layer depth + 1. Together they multiply.
    """

    former_names: ClassVar[Mapping[str, str]] = {"rule": "optimizer"}

    lr: float = 1e-3
    backbone_lr: float | None = None  # the base rate of everything but the head; None: as the head's, 0: frozen
    layer_decay: float = 1.0  # how much more slowly each layer learns than the next
    frozen: tuple[str, ...] = added(())  # patterns of parameters that stay as they are: patch_embed.*, blocks.[0-5].*
    weight_decay: float = 0.05
    decay_on: DecayOn = "kernels"
    clip_norm: float | None = None  # the largest global norm of the gradient
    ema: float | None = None  # decay of the moving average of the weights that is evaluated; None: no average
    optimizer: OptimizerSpec = adamw.Spec()
    schedule: ScheduleSpec = cosine.Spec()
    update: UpdateSpec = plain.Spec()

    def __post_init__(self) -> None:
        if self.lr <= 0:
            raise SpecError(f"optim.lr={self.lr}: must be positive")
        if self.backbone_lr is not None and self.backbone_lr < 0:
            raise SpecError(f"optim.backbone_lr={self.backbone_lr}: must not be negative; null is the head's rate")
        if not 0 < self.layer_decay <= 1:
            raise SpecError(f"optim.layer_decay={self.layer_decay}: must be above 0 and at most 1")
        if self.weight_decay < 0:
            raise SpecError(f"optim.weight_decay={self.weight_decay}: must not be negative")
        if self.clip_norm is not None and self.clip_norm <= 0:
            raise SpecError(f"optim.clip_norm={self.clip_norm}: must be positive, or null for no clipping")
        if self.ema is not None and not 0 < self.ema < 1:
            raise SpecError(f"optim.ema={self.ema}: must be between 0 and 1, or null for no average")

    def groups(self, kinds: Mapping[str, str], depth: int) -> list[Group]:
        """The parameter groups of a model with `depth` blocks; `kinds` by parameter name.

        Raises SpecError for a pattern of `frozen` that no parameter has, and where nothing is left to learn.
        """
        backbone = 1.0 if self.backbone_lr is None else self.backbone_lr / self.lr
        scales = frozen(learning_rate_scales(kinds, depth, self.layer_decay, backbone), self.frozen)
        return parameter_groups(kinds, self.weight_decay, self.decay_on, scales)


MOST_REPEATS = 1_000  # of an image in a pass: the order of a pass is held as a whole


@dataclass(frozen=True)
class RunSpec(Spec):
    """One training, completely.

    The length is `epochs` or `steps`, exactly one of them. The sample stream is continuous: a batch may straddle two
    passes over the data, every batch is full, no image is dropped, and `epochs` is rounded up to whole steps.
    """

    model: ViTSpec
    data: DataSpec
    augment: tuple[OpSpec, ...] = ()  # what a training picture goes through
    preprocess: tuple[OpSpec, ...] = ()  # what any other goes through: nothing random; predictions and evaluations
    task: TaskSpec = classify.Spec()
    optim: OptimSpec = OptimSpec()
    batch_size: int = 128
    repeats: int = 1  # how often each image stands in an epoch, augmented anew each time (arXiv 1901.09335)
    epochs: float | None = None
    steps: int | None = None
    sampling: Literal["every_image", "balanced_classes"] = "every_image"  # balanced: rarer classes' images repeat
    val_fraction: float = 0.1  # of the training data, carved out for selection
    val_seed: int = 0  # which images those are; not the run's seed, so that all seeds share the split
    start: StartSpec = scratch.Spec()  # where the weights come from
    evaluators: tuple[EvaluatorSpec, ...] = (scores.Spec(split="val", when="along"), scores.Spec())
    evaluate_every: float = 1.0  # epochs
    weights: Literal["last", "best"] = "last"  # which weights the test split sees: the last, or the best on validation
    test_every_epoch: bool = False  # curves of the test split, marked "peeks" wherever they are shown
    evaluate_with_dropout: bool = False  # a slip of published code: evaluation mode was never switched on
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise SpecError(f"epochs={self.epochs} and steps={self.steps}: set exactly one of them")
        for name in ("batch_size", "repeats", "epochs", "steps", "evaluate_every"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise SpecError(f"{name}={value}: must be positive")
        if self.repeats > MOST_REPEATS:
            raise SpecError(f"repeats={self.repeats}: must be at most {MOST_REPEATS:,}")
        if self.steps is not None:
            self._check_countable("steps", self.steps)
        if not 0 <= self.val_fraction < 1:
            raise SpecError(f"val_fraction={self.val_fraction}: must be at least 0 and below 1")
        for name in ("seed", "val_seed"):
            if not 0 <= getattr(self, name) < 2**63:
                raise SpecError(f"{name}={getattr(self, name)}: must be at least 0 and below 2^63")
        self._check_pictures()
        if self.weights == "best" and self.val_fraction == 0:
            raise SpecError("weights=best needs a validation split, and val_fraction=0 leaves none")
        for name in ("in_chans", *(("num_classes",) if self.task.needs_labels else ())):
            ours, theirs = getattr(self.model, name), getattr(self.data, name)
            if ours != theirs and theirs is not None:
                raise SpecError(f"model.{name}={ours} and data={self.data.name} has {theirs}")
        if (conflict := self.task.conflict(self.model)) is not None:
            raise SpecError(conflict)
        names = [metric.name for metric in self.task.metrics(self.model)]
        if self.task.selects not in names:
            selects = self.task.selects
            raise SpecError(f"task={self.task.name}: it selects by {selects}, and measures {', '.join(names)}")
        self._check_evaluators()

    def total_steps(self, steps_per_epoch: float) -> int:
        """How many steps the run has, over data of which a pass takes so many."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        self._check_countable("epochs", self.epochs * steps_per_epoch)
        return math.ceil(self.epochs * steps_per_epoch - 1e-9)

    def _check_countable(self, name: str, steps: float) -> None:
        """Refuse a length whose samples have no numbers of their own: each has a position in the stream."""
        if steps * self.batch_size >= 2**62:
            raise SpecError(f"{name}={getattr(self, name)}: more images than can be counted (2^62)")

    def check_warmup(self, steps_per_epoch: float | None) -> None:
        """Raise SpecError if the warm-up takes the whole training: the rate would never reach its base, or fall.

        Nothing is known before the data are read (None), but of a run and a warm-up that are given in steps.
        """
        schedule = self.optim.schedule
        if steps_per_epoch is None:
            if self.steps is None or schedule.warmup_epochs:
                return
            steps_per_epoch = 1.0  # which does not matter
        steps = self.total_steps(steps_per_epoch)
        warmup = schedule.warmup_steps or schedule.warmup_epochs * steps_per_epoch
        if 0 < steps <= warmup:
            unit = "steps" if schedule.warmup_steps else "epochs"
            value = schedule.warmup_steps or schedule.warmup_epochs
            raise SpecError(
                f"optim.schedule.warmup_{unit}={value:g} is {warmup:,.10g} steps, and the training has {steps:,}: the "
                f"rate would never reach optim.lr; make it shorter, or the training longer"
            )

    def planned_steps(self) -> int | None:
        """About how many steps that is; None where only a look at the data tells."""
        if self.epochs is None or (per_epoch := self.planned_steps_per_epoch()) is None:
            return self.steps
        return self.total_steps(per_epoch)

    def planned_steps_per_epoch(self) -> float | None:
        """About how many steps an epoch has; None where only a look at the data tells."""
        if self.data.num_train is None:
            return None
        images = self.data.num_train * self.data.train_fraction * (1 - self.val_fraction) * self.repeats
        return images / self.batch_size

    def along(self) -> list[EvaluatorSpec]:
        """The evaluators that measure along the training."""
        peeking = [evaluator for evaluator in self.evaluators if self.test_every_epoch and evaluator.split == "test"]
        return [evaluator for evaluator in self.evaluators if evaluator.when == "along"] + peeking

    def at_end(self) -> list[EvaluatorSpec]:
        """The evaluators that measure once, with the weights that are kept."""
        return [evaluator for evaluator in self.evaluators if evaluator.when == "end"]

    def measured(self) -> dict[str, Metric]:
        """What records may hold of this run's images, by the names there: `train_loss`, `val_top1`, `test_top1` …"""
        training = {f"train_{metric.name}": metric for metric in self.task.metrics(self.model)}
        return training | dict(chain.from_iterable(map(self._measured_by, self.evaluators)))

    def load_images(self) -> ImageSet:
        """The data set as the augmentation needs it. Raises DataError."""
        return self.data.load(as_stored=any(isinstance(op, StoredOp) for op in self.augment))

    def _measured_by(self, evaluator: EvaluatorSpec) -> list[tuple[str, Metric]]:
        metrics = evaluator.metrics(self.task, self.model)
        return [(f"{evaluator.split}_{metric.name}", metric) for metric in metrics]

    def _check_evaluators(self) -> None:
        """No two may write under one name, and what selects must be measured where something is selected."""
        names = [name for evaluator in self.evaluators for name, _ in self._measured_by(evaluator)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SpecError(f"evaluators: two of them measure {twice[0]}")
        selecting = {name for evaluator in self.along() for name, _ in self._measured_by(evaluator)}
        if self.weights == "best" and (name := f"val_{self.task.selects}") not in selecting:
            raise SpecError(f"weights=best needs an evaluator that measures {name} along the training")

    def _check_pictures(self) -> None:
        """Both ways that a picture may go must be possible, and end at the model's size."""
        check_ops(self.augment, self.data.in_chans)
        random = [op.name for op in self.preprocess if not (isinstance(op, PixelOp) and not op.random)]
        if random:
            raise SpecError(f"preprocess has {random[0]}: evaluations must not be random; legal: resize, …")
        for way in ("augment", "preprocess"):
            rows, columns = final_size(getattr(self, way), self.data.img_size)
            if (rows, columns) != self.model.img_size:
                wanted = " × ".join(map(str, self.model.img_size))
                raise SpecError(
                    f"model.img_size={wanted}, and data={self.data.name} has {rows} × {columns} after {way}: "
                    f"add resize, center_crop or a crop with size to {way}, or change data.img_size or model.img_size"
                )
