"""Tensors from a file that somebody else wrote: safetensors, or a pickle that holds nothing but tensors."""

import pickle
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vitlab.base.errors import CheckpointError
from vitlab.base.files import is_no_file


def _check_unpacked(path: Path) -> None:
    """Refuse an archive that would grow when it is read: tensors are stored as they are. Raises CheckpointError."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > path.stat().st_size:
        raise CheckpointError(f"{path} is not opened: {path.stat().st_size:,} bytes are packed to fill {unpacked:,}")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Named tensors of a `.safetensors`, `.pt`, `.pth` or `.bin` file.

    A pickle is opened with `weights_only`, which runs no code of its own; one that needs more is refused, because
    opening it would run whatever it contains. Raises CheckpointError.
    """
    if is_no_file(path):
        raise CheckpointError(f"{path} is not a file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        _check_unpacked(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist") from None
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is not opened: it is a pickle with more than tensors in it, or not a checkpoint"
        ) from error
    except (OSError, SafetensorError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is damaged or not a checkpoint: {error}") from error
    except Exception as error:  # bytes that are no pickle make torch's reader raise almost anything
        raise CheckpointError(f"{path} is damaged or not a checkpoint") from error
    for key in ("model", "state_dict"):  # how timm, DeiT, DINO and MAE wrap theirs
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not (isinstance(loaded, dict) and all(isinstance(value, Tensor) for value in loaded.values())):
        raise CheckpointError(f"{path} does not hold named tensors")
    return loaded
