"""A trained model from a run directory or a checkpoint folder, with all that it takes to use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from vitlab.base.errors import CheckpointError, NoModule, SpecError
from vitlab.base.spec import Spec, from_dict
from vitlab.checkpoints import native
from vitlab.data.sets._base import DataSpec
from vitlab.learner import Learner
from vitlab.models.cost import num_params
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.preprocessing import Preprocessing
from vitlab.tasks._base import TaskSpec

T = TypeVar("T", bound=Spec)


@dataclass(frozen=True)
class Trained:
    """A model and the task that it has learned, in float32 on the CPU.

    `data` is what it was trained on, None where no run of ours trained it. `noise_seed` is a number where the run is
    evaluated with dropout: a slip of published code.
    """

    learner: Learner
    task: TaskSpec
    preprocessing: Preprocessing
    data: DataSpec | None
    noise_seed: int | None

    @property
    def model(self) -> ViT:
        """The model alone."""
        return self.learner.model


def load(path: Path) -> Trained:
    """What stands at `path`: a checkpoint folder, or a run directory, of which it is the best or latest checkpoint.

    Raises CheckpointError if there is none or it is damaged.
    """
    checkpoint = native.load_at(path)
    folder, meta = checkpoint.folder, checkpoint.meta
    spec, task = _read(ViTSpec, meta.model, folder), _read(TaskSpec, meta.task, folder)
    _check_size(spec, checkpoint.tensors.model, folder)
    learner = Learner(ViT(spec), task.build(spec))
    _fill(learner.model, checkpoint.tensors.model, folder)
    _fill(learner.task, checkpoint.tensors.task, folder)
    data = None if meta.data is None else _read(DataSpec, meta.data, folder)
    return Trained(learner, task, _read(Preprocessing, meta.preprocessing, folder), data, meta.noise_seed)


def _read(cls: type[T], values: Mapping[str, Any], folder: Path) -> T:
    try:
        return from_dict(cls, values)
    except NoModule as error:
        raise CheckpointError(f"{folder} needs a module of somebody's own: {error}") from None
    except SpecError as error:
        raise CheckpointError(f"{folder / 'meta.json'} is damaged: {error}") from None


def _check_size(spec: ViTSpec, tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Build no model that is larger than what it is to be filled with."""
    wanted, there = num_params(spec), sum(tensor.numel() for tensor in tensors.values())
    if wanted > there:
        raise CheckpointError(f"{folder} does not fit its own settings: {there:,} of {wanted:,} weights")


def _fill(module: nn.Module, tensors: Mapping[str, Any], folder: Path) -> None:
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{folder} does not fit its own settings: {error}") from error
