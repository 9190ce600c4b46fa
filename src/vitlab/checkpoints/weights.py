"""The weights at a user's path, whoever wrote them, and the model that they are of: what a run can start from."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import from_dict, to_dict
from vitlab.checkpoints import native, published
from vitlab.checkpoints.content import content_at, file_at
from vitlab.checkpoints.source._base import are_numbers, class_names
from vitlab.checkpoints.source._told import told
from vitlab.models.likeness import unlike
from vitlab.models.spec import ViTSpec


class Weights(NamedTuple):
    """Tensors under our names; and of which model they are, None where that cannot be told. `unlike`: in what that
    model is another than the one that is to begin with them, where no shape shows it. `class_names`: of its head's
    rows, empty where they are not known.
    """

    spec: ViTSpec | None
    tensors: dict[str, Tensor]
    unlike: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()


def weights_at(path: str, model: ViTSpec) -> Weights:
    """Those of a run, a checkpoint folder, or what somebody else wrote; of what tensors cannot tell it is taken that it
    is as in `model`, which is to begin with them. Raises CheckpointError for what cannot be read.
    """
    if native.is_ours(Path(path)):
        checkpoint = native.load_at(Path(path))
        names = tuple(map(str, checkpoint.meta.preprocessing.get("class_names", ())))
        return _of(_spec(checkpoint.meta.model), dict(checkpoint.tensors.model), model, names)
    content = published.known(content_at(path))
    tensors = published.tensors_of(content)
    names = class_names(content, len(tensors["head.weight"])) if "head.weight" in tensors else ()
    return _of(_alike(tensors, published.told_of(content), model), tensors, model, names)


def checksum_of(path: str) -> str:
    """A hash of the weights at a path, which names them wherever they lie. Raises CheckpointError."""
    file = native.weights_of(Path(path)) if native.is_ours(Path(path)) else file_at(path)
    if not file.is_file():
        return native.checksum(file)  # which says what is wrong
    there = file.stat()
    return _checksum(file, there.st_ino, there.st_size, there.st_mtime_ns)


@lru_cache(maxsize=16)
def _checksum(file: Path, *state: int) -> str:
    """That of a file as it is: a start asks for it at every turn, and large files take long to read."""
    return native.checksum(file)


def _of(spec: ViTSpec | None, tensors: dict[str, Tensor], model: ViTSpec, names: tuple[str, ...]) -> Weights:
    known = () if are_numbers(names) else names
    return Weights(spec, tensors, tuple(unlike(spec, model)) if spec else (), known)


def _spec(values: object) -> ViTSpec | None:
    try:
        return from_dict(ViTSpec, values)  # type: ignore[arg-type]  # a record's settings, whatever they are
    except SpecError:
        return None


def _alike(tensors: dict[str, Tensor], beside: Mapping[str, Any], model: ViTSpec) -> ViTSpec | None:
    """A model like `model` with such tensors and what stands beside them; None where these are not of that kind."""
    try:
        return from_dict(ViTSpec, told(tensors, {**to_dict(model), **beside}))
    except (CheckpointError, SpecError, KeyError, IndexError, ZeroDivisionError):
        return None
