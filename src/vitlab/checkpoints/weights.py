"""The weights at a user's path, whoever wrote them, and the model that they are of: what a run can start from."""

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import from_dict, to_dict
from vitlab.checkpoints import native, published
from vitlab.checkpoints.content import content_at, file_at
from vitlab.checkpoints.source._told import told
from vitlab.models.spec import ViTSpec


class Weights(NamedTuple):
    """Tensors under our names; and of which model they are, None where that cannot be told."""

    spec: ViTSpec | None
    tensors: dict[str, Tensor]


def weights_at(path: str, model: ViTSpec) -> Weights:
    """Those of a run, a checkpoint folder, or what somebody else wrote; of what tensors cannot tell it is taken that it
    is as in `model`, which is to begin with them. Raises CheckpointError for what cannot be read.
    """
    if native.is_ours(Path(path)):
        checkpoint = native.load_at(Path(path))
        return Weights(_spec(checkpoint.meta.model), dict(checkpoint.tensors.model))
    tensors = published.tensors_of(content_at(path))
    return Weights(_alike(tensors, model), tensors)


def checksum_of(path: str) -> str:
    """A hash of the weights at a path, which names them wherever they lie. Raises CheckpointError."""
    return native.checksum_of(Path(path)) if native.is_ours(Path(path)) else native.checksum(file_at(path))


def _spec(values: object) -> ViTSpec | None:
    try:
        return from_dict(ViTSpec, values)  # type: ignore[arg-type]  # a record's settings, whatever they are
    except SpecError:
        return None


def _alike(tensors: dict[str, Tensor], model: ViTSpec) -> ViTSpec | None:
    """A model like `model` with such tensors; None where these are not of that kind."""
    try:
        return from_dict(ViTSpec, told(tensors, to_dict(model)))
    except (CheckpointError, SpecError, KeyError, IndexError, ZeroDivisionError):
        return None
