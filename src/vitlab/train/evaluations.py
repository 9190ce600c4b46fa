"""The evaluations of a training: which are due after a step, and what they give."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.data.images import ImageSet, Pictures, Stream
from vitlab.evaluate import scores
from vitlab.evaluate._base import Evaluation, EvaluatorSpec, Split, Subject
from vitlab.processes import Processes
from vitlab.train.machine.choices import Choices
from vitlab.train.spec import RunSpec
from vitlab.train.step.assemble import preprocessing_of
from vitlab.train.step.loop import Loop
from vitlab.train.step.stack import feature_function

Measured = list[dict[str, float | None]]  # one a run, by the names that records have; None: it has no value


class Evaluations:
    """The evaluators of R runs of one structure, with the runs as they are."""

    def __init__(
        self,
        loop: Loop,
        specs: Sequence[RunSpec],
        images: ImageSet,
        indices: Tensor,
        val: Pictures,
        choices: Choices,
        processes: Processes,
    ):
        self.loop, self.spec, self.runs = loop, specs[0], len(specs)
        self.images, self.indices, self.val = images, indices, val
        self._check_can_read()
        self.of_task = {metric.name for metric in self.spec.task.metrics(self.spec.model)}
        self.subject = Subject(
            scores=loop.scores,
            features=feature_function(loop.learner, loop.state.weights),
            task=self.spec.task,
            pictures=self.pictures,
            prepare=preprocessing_of(self.spec, images).pipeline(self.spec.model.num_classes, choices.compute_dtype),
            runs=self.runs,
            # without gradients four micro-batches take less memory than one did with them
            batch_size=min(512, 4 * choices.micro_batch),
            processes=processes,
            noise_seeds=torch.tensor([spec.seed for spec in specs]) if self.spec.evaluate_with_dropout else None,
        )

    def pictures(self, split: Split) -> Pictures:
        """The pictures of a split."""
        if split == "train":
            assert not isinstance(self.images.train, Stream)
            return self.images.train.subset(self.indices)
        return self.val if split == "val" else self.images.test

    def due(self) -> bool:
        """Whether an evaluation is due after the steps taken so far."""
        return self._crossed(self.spec.evaluate_every) or any(map(self._is_due, self.spec.along()))

    def along(self) -> Measured:
        """What the evaluators give that are due now, with the weights that are evaluated."""
        self.loop.state.compute_with_evaluated()
        return self._measured([evaluator for evaluator in self.spec.along() if self._is_due(evaluator)])

    def can_look(self) -> bool:
        """Whether there are validation images, and what the task measures of them is asked for along the training."""
        return len(self.val) > 0 and any(each.split == "val" for each in self.spec.along())

    def steps_left(self) -> int:
        """How many steps there are before the next evaluation of the training."""
        step, every = self.loop.state.step, self.spec.evaluate_every * self.loop.steps_per_epoch
        return min(math.ceil((step // every + 1) * every), self.loop.total_steps) - step

    def look(self, most: int) -> Measured:
        """What the task measures of some of the validation images: the first in an order that classes do not follow."""
        self.loop.state.compute_with_evaluated()
        places = torch.randperm(len(self.val), generator=torch.Generator().manual_seed(0))[:most]
        few = self.val.subset(places.sort().values)
        measured = scores.Spec(split="val").evaluate(replace(self.subject, pictures=lambda split: few))
        return [{f"val_{name}": value for name, value in each.items()} for each in measured.metrics]

    def at_end(self, note: Callable[[EvaluatorSpec, Evaluation], None]) -> Measured:
        """What the evaluators of the end give; `note` is shown each."""
        return self._measured(self.spec.at_end(), note)

    def of_validation(self, note: Callable[[EvaluatorSpec, Evaluation], None]) -> Measured:
        """What the evaluators of the validation split give; `note` is shown each."""
        return self._measured([each for each in self.spec.along() if each.split == "val"], note)

    def _measured(
        self, evaluators: Sequence[EvaluatorSpec], note: Callable[[EvaluatorSpec, Evaluation], None] | None = None
    ) -> Measured:
        measured: Measured = [{} for _ in range(self.runs)]
        for evaluator in evaluators:
            if not self._has(evaluator.split):
                continue
            evaluation = evaluator.evaluate(self.subject)
            self._check_names(evaluator, evaluation)
            for values, metrics in zip(measured, evaluation.metrics, strict=True):
                values.update({f"{evaluator.split}_{name}": self._told(name, value) for name, value in metrics.items()})
            if note:
                note(evaluator, evaluation)
        return measured

    def _check_can_read(self) -> None:
        """Raise SpecError, before anything is trained, for an evaluator of what is read as it comes."""
        reading = [evaluator.name for evaluator in self.spec.evaluators if "train" in evaluator.reads]
        if reading and isinstance(self.images.train, Stream):
            raise SpecError(
                f"evaluators: {reading[0]} reads the training split, and data.streaming=True: a stream cannot be "
                "evaluated"
            )

    def _check_names(self, evaluator: EvaluatorSpec, evaluation: Evaluation) -> None:
        """What was measured must be what was declared: records say by the declaration what their figures are."""
        declared = {metric.name for metric in evaluator.metrics(self.spec.task, self.spec.model)}
        odd = declared.symmetric_difference(*(metrics.keys() for metrics in evaluation.metrics[:1]))
        if odd:
            name = min(odd)
            what = "is declared and was not measured" if name in declared else "was measured and is not declared"
            raise SpecError(f"evaluators: {evaluator.name} on task={self.spec.task.name}: {name} {what} by `metrics`")

    def _told(self, name: str, value: float) -> float | None:
        """A value as it is recorded. Only the task's own say by what is no number that a training has failed."""
        return value if math.isfinite(value) or name in self.of_task else None

    def _has(self, split: Split) -> bool:
        """Whether a split has pictures: without `val_fraction` there is no validation split."""
        return split != "val" or len(self.val) > 0

    def _is_due(self, evaluator: EvaluatorSpec) -> bool:
        return self._crossed(evaluator.every or self.spec.evaluate_every)

    def _crossed(self, epochs: float) -> bool:
        """Whether the last step led past a multiple of so many epochs, or was the last of all."""
        step, every = self.loop.state.step, epochs * self.loop.steps_per_epoch
        crossed = int(step / every + 1e-9) > int((step - 1) / every + 1e-9)
        return crossed or step == self.loop.total_steps
