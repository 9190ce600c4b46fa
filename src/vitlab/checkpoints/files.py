"""Tensors from a file that somebody else wrote: safetensors, NumPy's npz, or a pickle that holds nothing but tensors.

No code of theirs is run, and no more memory is taken than the file fills or the machine has.
"""

import argparse
import datetime
import pathlib
import pickle
import re
import types
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vitlab.base.env import usable_memory
from vitlab.base.errors import CheckpointError
from vitlab.base.files import is_no_file, open_file
from vitlab.base.words import shortened, some

_HARMLESS: list[Any] = [  # what a training keeps beside its tensors, none of which runs code when it is read
    *(argparse.Namespace, types.SimpleNamespace),
    *(pathlib.PosixPath, pathlib.PurePosixPath, datetime.datetime, datetime.date, datetime.timedelta),
    *(np.ndarray, np.dtype, *(type(np.dtype(kind)) for kind in "?bBhHiIlLefdUS")),
    *((np.array(0.0).__reduce__()[0], "numpy.core.multiarray._reconstruct"), np.array(0.0).__reduce__()[0]),
    *((np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"), np.float64(0).__reduce__()[0]),
]
_GLOBAL = re.compile(r"(?:GLOBAL|[Uu]nsupported class|got <class) '?([\w.]+)", re.ASCII)  # in what torch says of others
_SAID = 200  # characters of what another library says
_POINTER = (
    b"version https://git-lfs.github.com/spec/"  # what stands in the place of a file that Git LFS has not fetched
)
_DEEPEST = 4  # dictionaries inside of each other in which tensors are looked for


def read_tensors(path: Path, inner: str = "") -> dict[str, Tensor]:
    """Named tensors of a `.safetensors` or `.npz` file, or of a pickle as torch writes it.

    A pickle is opened with `weights_only`, which runs no code of its own; one that needs more is refused, because
    opening it would run whatever it contains. Where it holds several dictionaries of tensors, `inner` says which is
    meant. Raises CheckpointError.
    """
    if is_no_file(path):
        raise CheckpointError(f"{path} is not a file")
    try:
        _check_is_weights(path)
        if path.suffix == ".safetensors" or _begins_as_safetensors(path):  # whatever it is called
            return _inside(load_file(path), inner, path)
        if path.suffix == ".npz" or _holds_arrays(path):
            return _inside(_read_npz(path), inner, path)
        _check_unpacked(path)
        with torch.serialization.safe_globals(_HARMLESS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats, and of what is refused below
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist") from None
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} is not opened: {_more_than_tensors(str(error))}") from error
    except (OSError, SafetensorError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is damaged or not a checkpoint: {shortened(str(error), _SAID)}") from error
    except Exception as error:  # bytes that are no pickle make torch's reader raise almost anything
        raise CheckpointError(f"{path} is damaged or not a checkpoint") from error
    return _inside(loaded, inner, path)


def _more_than_tensors(said: str) -> str:
    """What a pickle has beside tensors, as far as torch tells, and how the tensors alone are had."""
    found = _GLOBAL.search(said)
    if found is None:
        return "it is a pickle with more than tensors in it, or not a checkpoint"
    return (
        f"it is a pickle with more than tensors in it: {shortened(found[1], _SAID)}, which may run as code. Save the "
        "tensors alone, where you trust it: torch.save(model.state_dict(), FILE), or of a dictionary "
        'torch.save(torch.load(FILE, weights_only=False)["model"], OTHER)'
    )


def _check_is_weights(path: Path) -> None:
    """Refuse, with the cure, what is often found in the place of weights. Raises CheckpointError."""
    with open_file(path) as file:
        start = file.read(len(_POINTER))
    if start == _POINTER:
        raise CheckpointError(f"{path} is a pointer of Git LFS and not the weights: fetch these with `git lfs pull`")
    if zipfile.is_zipfile(path) and _holds_program(path):
        cure = "save the tensors alone: torch.save(torch.jit.load(FILE).state_dict(), OTHER)"
        raise CheckpointError(f"{path} is not opened: it is a TorchScript program, which runs code; {cure}")


def _holds_program(path: Path) -> bool:
    """Whether it is an archive as torch.jit writes it, with code beside the tensors."""
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name or name.endswith("/constants.pkl") for name in archive.namelist())


def _begins_as_safetensors(path: Path) -> bool:
    """The length of a header, and the brace that it opens with (the format's own description)."""
    with open_file(path) as file:
        start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    return len(start) == 9 and start[8:] == b"{" and length < path.stat().st_size


def _holds_arrays(path: Path) -> bool:
    """Whether it is an archive of NumPy's arrays: torch's own archives hold none."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())


def _check_unpacked(path: Path) -> None:
    """Refuse an archive that would grow when it is read: tensors are stored as they are. Raises CheckpointError."""
    if not zipfile.is_zipfile(path):
        return
    unpacked = _unpacked_size(path)
    if unpacked > path.stat().st_size:
        raise CheckpointError(f"{path} is not opened: {path.stat().st_size:,} bytes are packed to fill {unpacked:,}")


def _unpacked_size(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _read_npz(path: Path) -> dict[str, Tensor]:
    """Arrays of numbers; NumPy's own pickles are refused by NumPy."""
    unpacked, most = _unpacked_size(path), usable_memory()
    if unpacked > most:
        raise CheckpointError(f"{path} is not opened: it unpacks to {unpacked:,} bytes, and the machine has {most:,}")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: _tensor(arrays[name], name, path) for name in arrays.files}


def _tensor(array: np.ndarray, name: str, path: Path) -> Tensor:
    """An array as a tensor of its own kind of numbers; bfloat16, which NumPy has no name for, is two plain bytes."""
    if array.dtype.kind == "V" and array.dtype.itemsize == 2:
        return torch.from_numpy(array.view(np.uint16).astype(np.int32) << 16).view(torch.float32)
    if array.dtype.kind not in "fiub":
        raise CheckpointError(f"{path}: {name} holds no numbers, but {array.dtype}")
    return torch.from_numpy(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))))


_FEW = 0.1  # of the largest dictionary's tensors: what has fewer is no model, but a loss's or an optimiser's


def _inside(loaded: Any, inner: str, path: Path) -> dict[str, Tensor]:
    """The named tensors of what was loaded: itself, or the one dictionary of tensors in it. Raises CheckpointError."""
    if not isinstance(loaded, Mapping):
        raise CheckpointError(f"{path} does not hold named tensors")
    if _are_tensors(loaded):
        if inner:
            raise CheckpointError(f"{path} has no {inner}: it holds the tensors of one model")
        return dict(loaded)
    every = dict(_dictionaries(loaded))
    if inner in every:
        return dict(every[inner])
    most = max(map(len, every.values()), default=0)
    found = {key: value for key, value in every.items() if len(value) > _FEW * most}
    if inner:
        raise CheckpointError(f"{path} has no {inner}; tensors stand in: {some(sorted(found)) or 'nothing'}")
    if len(found) > 1:
        first = sorted(found)[0]
        raise CheckpointError(f"{path} holds several models: {some(sorted(found))}; say which, as in {path}#{first}")
    if not found:
        raise CheckpointError(f"{path} does not hold named tensors")
    return dict(next(iter(found.values())))


def check_dense(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Refuse tensors that are none of plain numbers: sparse ones, and those without any. Raises CheckpointError."""
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.device.type == "meta":
            kind = "without numbers" if tensor.device.type == "meta" else "sparse"
            raise CheckpointError(f"{path}: {some([name])} is {kind}; weights are dense tensors")


def _dictionaries(loaded: Mapping[Any, Any]) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """The dictionaries of tensors inside, by where they stand: 'teacher', 'checkpoint.model'; each of them once."""
    inside, seen = [("", loaded)], {id(loaded)}
    for _ in range(_DEEPEST):
        found = [(f"{place}{key}", value) for place, outer in inside for key, value in outer.items()]
        inside = []
        for place, value in found:
            if not isinstance(value, Mapping) or id(value) in seen:
                continue
            seen.add(id(value))
            if _are_tensors(value):
                yield place, value
            else:
                inside.append((f"{place}.", value))


def _are_tensors(values: Mapping[Any, Any]) -> bool:
    return bool(values) and all(isinstance(name, str) and isinstance(each, Tensor) for name, each in values.items())
