"""A checkpoint's score, measured again: on the data that it was trained on, or on another set's test split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from vitlab.base.errors import DataError, UserError
from vitlab.base.metric import Metric
from vitlab.checkpoints.trained import Trained, load
from vitlab.data.images import ImageSet, Pictures
from vitlab.data.sets._base import DataSpec
from vitlab.devices import pick_device
from vitlab.evaluate import scores
from vitlab.evaluate._base import Split, Subject
from vitlab.learner import features_of_one, scores_of_one
from vitlab.nn.kernel import Kernel, use_kernel


class Computing(NamedTuple):
    """How a model is computed: as it was in training, where that is known."""

    dtype: torch.dtype = torch.float32
    kernel: Kernel = "explicit"


class Score(NamedTuple):
    """The metrics of the test images by the names that records have, what these are, and how many images there are."""

    values: dict[str, float]
    metrics: dict[str, Metric]
    images: int


def evaluate_checkpoint(
    path: Path, data: DataSpec | None = None, device: str | None = None, computing: Computing = Computing()
) -> Score:
    """The task's metrics on the test split of `data`, or of what the model was trained on.

    `path` is a run directory or a checkpoint folder, which is enough. Raises UserError for what a user can mend.
    """
    trained = load(path)
    images = _images(trained, data, path)
    where = pick_device(device)
    learner = trained.learner.to(where, computing.dtype)
    use_kernel(learner, computing.kernel)
    test = images.test.to(where)
    subject = Subject(
        scores=scores_of_one(learner),
        features=features_of_one(learner),
        task=trained.task,
        pictures=_only_test(test),
        prepare=trained.preprocessing.pipeline(trained.model.spec.num_classes, computing.dtype),
        runs=1,
        noise_seeds=None if trained.noise_seed is None else torch.tensor([trained.noise_seed]),
    )
    evaluator = scores.Spec()
    (values,) = evaluator.evaluate(subject).metrics
    metrics = {f"test_{metric.name}": metric for metric in evaluator.metrics(trained.task, trained.model.spec)}
    return Score({f"test_{name}": value for name, value in values.items()}, metrics, len(test))


def _images(trained: Trained, data: DataSpec | None, path: Path) -> ImageSet:
    """The set to evaluate on: of the very classes that the model knows, if its task needs to know them."""
    chosen = data or trained.data
    if chosen is None:
        raise UserError(f"{path} does not say what it was trained on: name a set with --data")
    images = chosen.load()
    ours = trained.preprocessing.class_names
    if trained.task.needs_labels and images.class_names != ours:
        shown = [", ".join(names[:3]) for names in (images.class_names, ours)]
        raise DataError(f"--data has the classes {shown[0]}, …; the run was trained on {shown[1]}, …")
    return images


def _only_test(test: Pictures) -> Any:
    splits: Mapping[Split, Pictures] = {"test": test}
    return splits.__getitem__
