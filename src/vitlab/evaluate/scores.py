"""The task's own metrics on a split: loss, top-1 and top-5 of a classification; and the balanced accuracy of any
task that classifies.

Sums are taken over samples, so an uneven last batch counts as what it is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.devices import exact_dtype
from vitlab.evaluate._base import Evaluation, EvaluatorSpec, Subject
from vitlab.evaluate._by_class import BALANCED_ACCURACY, mean_recall, right_by_class
from vitlab.evaluate._sums import added
from vitlab.models.spec import ViTSpec
from vitlab.tasks._base import LOGITS, TaskSpec

_RIGHT = "right"  # among the sums, by class


@dataclass(frozen=True)
class Spec(EvaluatorSpec):
    """No settings but those of every evaluator."""

    def metrics(self, task: TaskSpec, model: ViTSpec) -> tuple[Metric, ...]:
        return (*task.metrics(model), BALANCED_ACCURACY) if task.classifies else task.metrics(model)

    @torch.no_grad()
    def evaluate(self, subject: Subject) -> Evaluation:
        pictures, task = subject.pictures(self.split), subject.task
        sums: dict[str, Tensor] = {}
        logits, by_image = [], []
        for batch in subject.batches(self.split):
            scores = subject.score(batch)
            exact = exact_dtype(batch.images.device)
            sums = added(sums, {name: value.sum(dim=1, dtype=exact) for name, value in scores.metrics.items()})
            by_image.append({name: value.float().cpu() for name, value in scores.metrics.items()})
            if task.has_logits:
                if LOGITS not in scores.outputs:
                    raise SpecError(f"task={task.name}: it has logits, says has_logits, and gives none")
                logits.append(scores.outputs[LOGITS].float().cpu())
            if task.classifies:
                sums = added(sums, {_RIGHT: right_by_class(scores.outputs[LOGITS], batch.labels, exact)})
        subject.processes.all_reduce(list(sums.values()))
        right = sums.pop(_RIGHT, None)
        means = {name: total / len(pictures) for name, total in sums.items()}
        if right is not None:
            means[BALANCED_ACCURACY.name] = mean_recall(right, pictures.labels)
        columns = {name: values.tolist() for name, values in means.items()}
        metrics = [{name: values[run] for name, values in columns.items()} for run in range(subject.runs)]
        scored = {name: torch.cat([values[name] for values in by_image], dim=1) for name in by_image[0]}
        return Evaluation(metrics, torch.cat(logits, dim=1) if logits else None, scored)
