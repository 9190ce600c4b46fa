"""What stands in a file or folder that somebody else wrote: tensors by name, and the JSON files beside them.

weights.safetensors, weights.pth#teacher, ViT-B_16.npz     a file; after # the dictionary that is meant
folder/                                                    config.json and model.safetensors, as hubs have them
hub:ORG/NAME                                               the same, downloaded into the hub's own cache
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from vitlab.base.errors import CheckpointError, DataError
from vitlab.base.files import read_object
from vitlab.base.words import some
from vitlab.checkpoints.files import check_dense, read_tensors
from vitlab.checkpoints.hub import absent, downloaded, repo_of
from vitlab.checkpoints.source._base import Content
from vitlab.records.checkpoint import CHECKPOINTS, OTHERS

_SINGLE = 4  # bytes of a number in single precision
_TEXTS = ("config.json", "preprocessor_config.json")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_WEIGHTS = ("model.safetensors", *_INDEXES, "pytorch_model.bin")  # as hubs call them: what is beside is of them
_BODIES = ("backbone.", "encoder.")  # of all but the head, which stands beside
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "student.", "teacher.", *_BODIES)
_MOST = 0.5  # of all tensors, which are what a wrapper is around


def content_at(path: str | Path) -> Content:
    """What stands at a path or under a hub's name. Raises CheckpointError, whatever is wrong with it."""
    file, inner = _place(str(path))
    if not file.exists():
        raise CheckpointError(absent(str(path)))
    if file.is_dir():
        texts, tensors = _texts(file), _folder_tensors(file)
    else:
        texts, tensors = _texts(file.parent) if file.name in _WEIGHTS else {}, read_tensors(file, inner)
    check_dense(tensors, file)
    bare, taken, _ = _stripped(tensors, _is_around_all)
    notes = (f"names without their common prefix {taken}",) if taken else ()
    return Content(file, _in_single_precision(bare), texts, notes=notes)


def file_at(path: str) -> Path:
    """The file of weights that a path means; of a folder whose weights stand in several the index of these."""
    file, _ = _place(path)
    return weights_file(file) if file.is_dir() else file


def _place(path: str) -> tuple[Path, str]:
    """The file or folder, downloaded if it is not here; and the dictionary inside of a file that is meant."""
    repo = repo_of(path)
    if repo:
        return downloaded(repo), ""
    place, _, inner = (path, "", "") if Path(path).exists() else path.partition("#")
    return Path(place), inner


def weights_file(folder: Path) -> Path:
    """The file that holds a folder's weights, or the index of several. Raises CheckpointError if there is not one."""
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    found = sorted(path for path in folder.glob("*") if path.suffix in OTHERS and path.is_file())
    if (folder / CHECKPOINTS).is_dir():
        raise CheckpointError(f"{folder} is a run or a checkpoint of vitlab's own, which every command takes as it is")
    if len(found) != 1:
        which = f"several files of weights: {some([path.name for path in found])}" if found else "no file of weights"
        raise CheckpointError(f"{folder} has {which}; name the one that is meant")
    return found[0]


def _texts(folder: Path) -> dict[str, Mapping[str, Any]]:
    try:
        return {name: read_object(folder / name) for name in _TEXTS if (folder / name).is_file()}
    except DataError as error:
        raise CheckpointError(str(error)) from None


def _folder_tensors(folder: Path) -> dict[str, Tensor]:
    file = weights_file(folder)
    if file.name not in _INDEXES:
        return read_tensors(file)
    try:
        places = read_object(file).get("weight_map")
    except DataError as error:
        raise CheckpointError(str(error)) from None
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise CheckpointError(f"{file} does not say where its tensors are")
    shards = sorted(set(places.values()))
    if outside := [name for name in shards if Path(name).name != name]:
        raise CheckpointError(f"{file} names files outside of its folder: {some(outside)}")
    tensors: dict[str, Tensor] = {}
    for name in shards:
        tensors |= read_tensors(folder / name)
    return tensors


def unwrapped(content: Content) -> Content:
    """The same without what a wrapper put around most of its tensors. What stands beside the whole model, an average's
    counter or the weights of a loss, is left out; a head beside a backbone stays.
    """
    tensors, taken, beside = _stripped(content.tensors, _is_around_most)
    if not taken:
        return content
    left_out = (f"left out, beside the model: {some(sorted(beside))}",) if beside else ()
    notes = (f"names without the prefix {taken} of most of them", *left_out)
    return replace(content, tensors=tensors, notes=(*content.notes, *notes))


def _stripped(
    tensors: Mapping[str, Tensor], is_around: Callable[[str, Mapping[str, Tensor]], bool]
) -> tuple[dict[str, Tensor], str, list[str]]:
    """Tensors without what wrappers put before their names; what that was; and which stand beside a whole model."""
    taken, beside = "", list[str]()
    while prefix := next((each for each in _PREFIXES if is_around(each, tensors)), ""):
        inside = {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
        others = {name: each for name, each in tensors.items() if not name.startswith(prefix)}
        tensors = {**others, **inside} if prefix in _BODIES else inside
        taken += prefix
        beside += [] if prefix in _BODIES else others
    return dict(tensors), taken, beside


def _is_around_all(prefix: str, tensors: Mapping[str, Tensor]) -> bool:
    return bool(tensors) and all(name.startswith(prefix) for name in tensors)


def _is_around_most(prefix: str, tensors: Mapping[str, Tensor]) -> bool:
    inside = [name.removeprefix(prefix) for name in tensors if name.startswith(prefix)]
    return len(inside) > _MOST * len(tensors) and not tensors.keys() & set(inside)


def _in_single_precision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Halves widened, so that all are at least in single precision."""
    return {name: tensor.float() if _is_narrow(tensor) else tensor for name, tensor in tensors.items()}


def _is_narrow(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dtype.itemsize < _SINGLE
