"""Decoded data sets on disk, so that pictures are decompressed once.

An entry is named by a hash of its source, and is never authoritative: one that is absent or damaged is made again.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from vitlab.base.records import replacing
from vitlab.data.images import Images, Splits

_FORMAT = 1  # change it whenever entries are written differently


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
    """The data set at `path`, or None if there is none that can be read."""
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            train, test = (
                Images(torch.from_numpy(file[f"{split}_pixels"]), torch.from_numpy(file[f"{split}_labels"]))
                for split in ("train", "test")
            )
            return Splits(train, test, tuple(file["class_names"].tolist()))
    except Exception:  # whatever is wrong with it, the source still has the pictures
        return None


def write(path: Path, splits: Splits) -> None:
    """Keep a data set. A disk that is full or read-only costs the time to decode again, and nothing else."""
    with suppress(OSError), replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            train_pixels=splits.train.pixels.numpy(),
            train_labels=splits.train.labels.numpy(),
            test_pixels=splits.test.pixels.numpy(),
            test_labels=splits.test.labels.numpy(),
            class_names=np.array(splits.class_names),
        )
