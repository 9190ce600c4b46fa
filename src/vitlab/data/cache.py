"""The cache of data sets: decoded pictures, and which pictures are unreadable.

An entry is named by a hash of its source, and is never authoritative: one that is absent or damaged is made again.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vitlab.base.errors import DataError
from vitlab.base.files import read_json, replacing, write_json
from vitlab.data.images import Images, Splits

_FORMAT = 1  # change it whenever entries are written differently
_DISK_SHARE = 1 / 4  # of what is free, at most, for one entry


def folder() -> Path:
    """`$VITLAB_CACHE`, else `$XDG_CACHE_HOME/vitlab`, else `~/.cache/vitlab`."""
    if chosen := os.environ.get("VITLAB_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vitlab"


def entry(name: str, source: str, files: Iterable[Path] = ()) -> Path:
    """Where the data set `name` is kept: a hash of what `source` says and of the files' names, sizes and times."""
    facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    text = repr((_FORMAT, source, facts))
    return folder() / f"{name}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}.npz"


def read(path: Path) -> Splits | None:
    """The decoded data set at `path`, or None if there is none that can be read."""
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            train, test = (
                Images(torch.from_numpy(file[f"{split}_pixels"]), torch.from_numpy(file[f"{split}_labels"]))
                for split in ("train", "test")
            )
            kept = {split: f"{split}_unreadable" for split in ("train", "test")}
            unreadable = {split: tuple(file[name].tolist()) for split, name in kept.items() if name in file}
            return Splits(train, test, tuple(file["class_names"].tolist()), unreadable)
    except Exception:  # whatever is wrong with it, the source still has the pictures
        return None


def write(path: Path, splits: Splits) -> None:
    """Keep a decoded data set, unless it would take more than a quarter of what is free on the disk.

    A disk that is full or read-only costs the time to decode again, and nothing else.
    """
    train, test = splits.train, splits.test
    assert isinstance(train, Images)
    assert isinstance(test, Images)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if train.pixels.nbytes + test.pixels.nbytes > _DISK_SHARE * shutil.disk_usage(path.parent).free:
            return
        arrays: dict[str, Any] = {
            "train_pixels": train.pixels.numpy(),
            "train_labels": train.labels.numpy(),
            "test_pixels": test.pixels.numpy(),
            "test_labels": test.labels.numpy(),
            "class_names": np.array(splits.class_names),
        }
        arrays |= {f"{split}_unreadable": np.array(names, dtype=str) for split, names in splits.unreadable.items()}
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)


def read_facts(path: Path) -> Mapping[str, Any]:
    """What was remembered at `path`; nothing if that cannot be read."""
    try:
        return read_json(path)
    except (DataError, OSError):
        return {}


def keep_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Keep a few facts, as JSON. Where that cannot be done they are found out again."""
    with suppress(OSError):
        write_json(path, facts)
