"""The cache of data sets: decoded pictures, and which pictures are unreadable.

An entry is named by a hash of its source, and is never authoritative: one that is absent or damaged is made again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vitlab.base import kept
from vitlab.base.files import replacing
from vitlab.base.spec import from_dict, to_dict
from vitlab.data.images import Images, Splits
from vitlab.data.look import Look
from vitlab.records.data import Depth, Found

_FORMAT = 3  # change it whenever entries are written differently
_DISK_SHARE = 1 / 4  # of what is free, at most, for one entry


def entry(name: str, source: str, files: Iterable[Path] = ()) -> Path:
    """Where the data set `name` is kept: a hash of what `source` says, and of the `state` of the files."""
    text = repr((_FORMAT, source, state(file.resolve() for file in files)))
    return kept.folder() / f"{name}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}.npz"


def state(files: Iterable[str | Path]) -> str:
    """A hash of where files are and what the file system knows of them: another one whenever their content is.

    Copies and archives keep names, sizes and times of writing, so inodes and times of change are among it, too.
    """
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(os.fsencode(file) + b"\0")
        with suppress(OSError):  # a link to nowhere is found out when it is read
            known = os.stat(file)
            digest.update(f"{known.st_size} {known.st_mtime_ns} {known.st_ctime_ns} {known.st_ino}\0".encode())
    return digest.hexdigest()


def read(path: Path) -> Splits | None:
    """The decoded data set at `path`, or None if there is none that can be read."""
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            images = {
                split: Images(torch.from_numpy(file[f"{split}_pixels"]), torch.from_numpy(file[f"{split}_labels"]))
                for split in facts["splits"]
            }
            return Splits(
                images["train"],
                images["test"],
                tuple(facts["class_names"]),
                {split: tuple(names) for split, names in facts["unreadable"].items()},
                val=images.get("val"),
                copies={split: torch.from_numpy(file[f"{split}_copies"]) for split in facts["copies"]},
                found=from_dict(Found, facts["found"]) if facts["found"] else None,
            )
    except Exception:  # whatever is wrong with it, the source still has the pictures
        return None


def write(path: Path, splits: Splits) -> None:
    """Keep a decoded data set, unless it would take more than a quarter of what is free on the disk.

    A disk that is full or read-only costs the time to decode again, and nothing else.
    """
    held = splits.in_memory()
    facts = {
        "splits": list(held),
        "class_names": list(splits.class_names),
        "unreadable": {split: list(names) for split, names in splits.unreadable.items()},
        "copies": list(splits.copies),
        "found": to_dict(splits.found) if splits.found else None,
    }
    arrays: dict[str, Any] = {"facts": np.array(json.dumps(facts))}
    for split, images in held.items():
        arrays |= {f"{split}_pixels": images.pixels.numpy(), f"{split}_labels": images.labels.numpy()}
    arrays |= {f"{split}_copies": content.numpy() for split, content in splits.copies.items()}
    _save(path, arrays)


def read_looks(path: Path) -> dict[str, Look] | None:
    """What was seen of each split of a set that stays encoded, or None if that is not known."""
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            return {
                split: _look(file[f"{split}_digests"], facts) for split, facts in json.loads(str(file["facts"])).items()
            }
    except Exception:
        return None


def write_looks(path: Path, looks: Mapping[str, Look]) -> None:
    """Keep what was seen, so that the next run need not look again."""
    facts = {
        split: {
            "unreadable": list(look.unreadable.items()),
            "depths": {bits: to_dict(depth) for bits, depth in look.depths.items()},
            "see_through": look.see_through,
        }
        for split, look in looks.items()
    }
    digests = {f"{split}_digests": look.digests for split, look in looks.items()}
    _save(path, {"facts": np.array(json.dumps(facts)), **digests})


def _look(digests: np.ndarray, facts: Mapping[str, Any]) -> Look:
    depths = {bits: from_dict(Depth, depth) for bits, depth in facts["depths"].items()}
    return Look(digests, dict(facts["unreadable"]), depths, facts["see_through"])


def write_list(name: str, lines: Sequence[str]) -> Path | None:
    """A text file of these lines, in UTF-8, another one for other lines; None where none can be written."""
    text = "".join(f"{line}\n" for line in lines).encode()
    path = kept.folder() / f"{name}-{hashlib.blake2b(text, digest_size=8).hexdigest()}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError:
        return None
    return path


def _save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if sum(array.nbytes for array in arrays.values()) > _DISK_SHARE * shutil.disk_usage(path.parent).free:
            return
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
