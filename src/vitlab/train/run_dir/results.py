"""The results of a run that is done: its figures, and its predictions on the test split."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vitlab.data.images import Pictures
from vitlab.evaluate._base import Split
from vitlab.models.cost import cost
from vitlab.records.pictures import PictureScores
from vitlab.records.predictions import Predictions
from vitlab.tasks._base import TaskSpec
from vitlab.train.machine.choices import Choices
from vitlab.train.machine.memory import peak_memory_bytes
from vitlab.train.step.loop import Loop

MISTAKES = 24  # pictures of the worst mistakes that go into the record


def final_metrics(loop: Loop, line: Mapping[str, Any], seconds: float, choices: Choices) -> dict[str, Any]:
    """The figures of result.json besides those of the end's evaluators: an evaluation's line, sizes and speed.

    `train_seconds` is the whole time of the run, evaluations and checkpoints included.
    """
    measured = {name: value for name, value in line.items() if name.startswith(("val_", "train_"))}
    spent = cost(loop.spec.model)
    seen = loop.total_steps * loop.spec.batch_size
    return measured | {
        "num_params": spent.num_params,
        "flops": spent.flops,
        "steps": loop.total_steps,
        "images_seen": seen,
        "train_seconds": round(seconds, 3),
        "seconds_per_epoch": round(seconds * loop.steps_per_epoch / loop.total_steps, 3),
        "images_per_second": round(seen / seconds, 1),
        "peak_memory_bytes": peak_memory_bytes(choices.device),
    }


def pictures_of(split: Split, images: Pictures, scores: Mapping[str, Tensor]) -> PictureScores:
    """By metric [n], what every image of a split scored -> a record of it."""
    return PictureScores(split, images.labels.cpu().numpy(), {name: each.numpy() for name, each in scores.items()})


def predictions_of(images: Pictures, logits: Tensor, task: TaskSpec) -> Predictions:
    """logits [n, Y] -> labels and probabilities of every test image, and pictures of the worst mistakes: the surest
    among the wrong.
    """
    probabilities = task.probabilities(logits).numpy()
    labels = images.labels.cpu().numpy()
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    mistakes = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:MISTAKES]
    pixels = images.ask(torch.from_numpy(mistakes))().permute(0, 2, 3, 1).cpu().numpy()
    seen = 3 if pixels.shape[-1] >= 3 else 1  # of more bands than a person sees the first ones are shown
    return Predictions("test", labels, probabilities, mistakes, pixels[..., :seen])
