"""The task's own metrics on a split: loss, top-1 and top-5 of a classification.

Sums are taken over samples, so an uneven last batch counts as what it is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.devices import exact_dtype
from vitlab.evaluate._base import Evaluation, EvaluatorSpec, Subject
from vitlab.evaluate._sums import added
from vitlab.models.spec import ViTSpec
from vitlab.tasks._base import LOGITS, TaskSpec


@dataclass(frozen=True)
class Spec(EvaluatorSpec):
    """No settings but those of every evaluator."""

    def metrics(self, task: TaskSpec, model: ViTSpec) -> tuple[Metric, ...]:
        return task.metrics(model)

    @torch.no_grad()
    def evaluate(self, subject: Subject) -> Evaluation:
        sums: dict[str, Tensor] = {}
        logits = []
        for batch in subject.batches(self.split):
            scores = subject.score(batch)
            exact = exact_dtype(batch.images.device)
            sums = added(sums, {name: value.sum(dim=1, dtype=exact) for name, value in scores.metrics.items()})
            if subject.task.has_logits:
                if LOGITS not in scores.outputs:
                    raise SpecError(f"task={subject.task.name}: it has logits, says has_logits, and gives none")
                logits.append(scores.outputs[LOGITS].float().cpu())
        subject.processes.all_reduce(list(sums.values()))
        count = len(subject.pictures(self.split))
        columns = {name: (total / count).tolist() for name, total in sums.items()}
        metrics = [{name: values[run] for name, values in columns.items()} for run in range(subject.runs)]
        return Evaluation(metrics, torch.cat(logits, dim=1) if logits else None)
