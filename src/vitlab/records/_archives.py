"""Reading NumPy archives that anybody may have written: no pickles, and no more than fits into memory."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vitlab.base.errors import DataError
from vitlab.base.files import open_file
from vitlab.base.words import shortened

SPLITS = ("test", "val", "train")  # of which an archive can be
_LARGEST = 1 << 33  # bytes, unpacked: two million images of a thousand classes
_SHOWN = 200  # characters of an error in a message


def read_arrays(path: Path) -> Mapping[str, np.ndarray]:
    """All arrays of an archive. Raises DataError if it is damaged, or too large."""
    try:
        with open_file(path) as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is no archive of arrays")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                _check_sizes(arrays.zip)
                return {name: _array(arrays, name) for name in arrays.files}
    except Exception as error:  # zip, zlib and NumPy raise whatever they come across
        raise damaged(path, f"{error}" or type(error).__name__) from None


def read_of_split(path: Path, *names: str, splits: Sequence[str] = SPLITS) -> Mapping[str, np.ndarray] | None:
    """The arrays of an archive that is of one of some splits and has all of `names`; None where there is no such file.
    Raises DataError if it is damaged.
    """
    if not path.exists():
        return None
    arrays = read_arrays(path)
    if lacking := [name for name in ("split", *names) if name not in arrays]:
        raise damaged(path, f"it has no {lacking[0]}")
    if (split := str(arrays["split"])) not in splits:
        raise damaged(path, f"split is {split!r}, expected {' or '.join(map(repr, splits))}")
    return arrays


def _array(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Raises ValueError for one that is not of numbers or texts, which would have to be run to be read."""
    try:
        return arrays[name]
    except ValueError as error:
        raise ValueError(
            f"{name} is of Python objects" if "allow_pickle" in str(error) else f"{name}: {error}"
        ) from None


def damaged(path: Path, why: str) -> DataError:
    """What is wrong with an archive, and what one does with it."""
    return DataError(f"{path} is damaged: {shortened(why, _SHOWN)}; remove it to do without")


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Refuse what would take more memory than any predictions do. Raises ValueError."""
    size = sum(entry.file_size for entry in archive.infolist())
    if size > _LARGEST:
        raise ValueError(f"it would be {size:,} bytes")
