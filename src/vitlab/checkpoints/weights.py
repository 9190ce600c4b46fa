"""The weights at a user's path, whoever wrote them, and the model that they are of: what a run can start from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import Component, from_dict, to_dict, with_settings
from vitlab.checkpoints import native, published
from vitlab.checkpoints.content import content_at, file_at
from vitlab.checkpoints.source._told import told
from vitlab.models.spec import ViTSpec

_UNSEEN = {"num_heads", "mlp", "norm"}  # of which tensors have the same shapes, whatever they are


class Weights(NamedTuple):
    """Tensors under our names; and of which model they are, None where that cannot be told. `unlike`: in what that
    model computes otherwise than the one that is to begin with them, in sentences.
    """

    spec: ViTSpec | None
    tensors: dict[str, Tensor]
    unlike: tuple[str, ...] = ()


def weights_at(path: str, model: ViTSpec) -> Weights:
    """Those of a run, a checkpoint folder, or what somebody else wrote; of what tensors cannot tell it is taken that it
    is as in `model`, which is to begin with them. Raises CheckpointError for what cannot be read.
    """
    if native.is_ours(Path(path)):
        checkpoint = native.load_at(Path(path))
        return Weights(_spec(checkpoint.meta.model), dict(checkpoint.tensors.model))
    content = content_at(path)
    tensors = published.tensors_of(content)
    return Weights(_alike(tensors, model), tensors, tuple(_unlike(published.told_of(content), model)))


def checksum_of(path: str) -> str:
    """A hash of the weights at a path, which names them wherever they lie. Raises CheckpointError."""
    return native.checksum_of(Path(path)) if native.is_ours(Path(path)) else native.checksum(file_at(path))


def _unlike(told: Mapping[str, Any], model: ViTSpec) -> Iterator[str]:
    """What no shape shows: the same tensors, and another function."""
    for name in _UNSEEN & told.keys():
        try:
            theirs = getattr(with_settings(model, {name: told[name]}), name)
        except SpecError:  # it is no value for this model, whose shapes will not fit, either
            continue
        if theirs != getattr(model, name):
            yield f"its {name} is {_written(theirs)}, and the model's {_written(getattr(model, name))}: set it alike"


def _written(value: Any) -> str:
    if not isinstance(value, Component):
        return str(value)
    own = {name: each for name, each in to_dict(value).items() if name != "name"}
    return value.name + (f" ({', '.join(f'{name}={each}' for name, each in own.items())})" if own else "")


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
