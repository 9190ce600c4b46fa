"""What is written when a run is done: its figures, and its predictions on the test split."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vitlab.base import records
from vitlab.data.images import Pictures
from vitlab.models.cost import cost
from vitlab.tasks._base import TaskSpec
from vitlab.train.choices import Choices
from vitlab.train.loop import Loop
from vitlab.train.memory import peak_memory_bytes

MISTAKES = 24  # pictures of the worst mistakes that go into the record


def final_metrics(loop: Loop, line: dict[str, Any], seconds: float, choices: Choices) -> dict[str, Any]:
    """The figures of result.json besides the test split's: an evaluation's line, sizes and speed.

    `train_seconds` is the whole time of the run, evaluations and checkpoints included.
    """
    scores = {k: v for k, v in line.items() if k.startswith(("val_", "train_"))}
    spent = cost(loop.spec.model)
    seen = loop.total_steps * loop.spec.batch_size
    return scores | {
        "num_params": spent.num_params,
        "flops": spent.flops,
        "steps": loop.total_steps,
        "images_seen": seen,
        "train_seconds": round(seconds, 3),
        "seconds_per_epoch": round(seconds * loop.steps_per_epoch / loop.total_steps, 3),
        "images_per_second": round(seen / seconds, 1),
        "peak_memory_bytes": peak_memory_bytes(choices.device),
    }


def write_predictions(path: Path, images: Pictures, logits: Tensor, task: TaskSpec) -> None:
    """Labels and probabilities of every image, and pictures of the worst mistakes: the surest among the wrong."""
    probabilities = task.probabilities(logits).numpy()
    labels = images.labels.cpu().numpy()
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    mistakes = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:MISTAKES]
    pixels = images.ask(torch.from_numpy(mistakes))().permute(0, 2, 3, 1).cpu().numpy()
    with records.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, split="test", labels=labels, probabilities=probabilities, mistakes=mistakes, mistake_pixels=pixels
        )
