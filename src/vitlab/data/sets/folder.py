"""A folder of pictures, with one folder per class: `train/CLASS/…` with `test/` or `val/`, or just `CLASS/…`.

In the second case some pictures of every class are held out, the same in every run.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch

from vitlab.base.errors import DataError
from vitlab.data.decode import looks_like_a_picture
from vitlab.data.encoded import Encoded
from vitlab.data.ingest import Listing, Source
from vitlab.data.parquet import has_shards
from vitlab.data.paths import HELD_OUT, locate
from vitlab.data.sets._pictures import PicturesSpec


@dataclass(frozen=True, kw_only=True)
class Spec(PicturesSpec):
    """`path` is looked up from here, then where data sets lie (`$VITLAB_DATA`). Classes are numbered by name."""

    path: str

    def class_names(self) -> tuple[str, ...]:
        return _classes(_split_folders(locate(self.path), self.held_out))

    def source(self) -> Source:
        root = locate(self.path)
        folders = _split_folders(root, self.held_out)
        names = _classes(folders)
        paths = {split: [list(_pictures(root, folder / name)) for name in names] for split, folder in folders.items()}
        empty = [name for name, inside in zip(names, paths["train"], strict=True) if not inside]
        if empty:
            raise DataError(f"no picture in class {', '.join(map(repr, empty))} of {folders['train']}")
        splits = {split: self._encoded(root, classes) for split, classes in paths.items()}
        facts = [_facts(root, chain.from_iterable(classes)) for classes in paths.values()]
        return Source("folder", f"{root.resolve()} {facts}", lambda: Listing(splits, names))

    def _encoded(self, root: Path, classes: Sequence[Sequence[str]]) -> Encoded:
        """The pictures of one split, class after class."""
        labels = torch.arange(len(classes)).repeat_interleave(torch.tensor([len(paths) for paths in classes]))
        files = Files(root, list(chain.from_iterable(classes)))
        return Encoded(files, torch.arange(len(labels)), labels, self.frame)


@dataclass(frozen=True)
class Files:
    """Pictures as files below a folder."""

    root: Path
    paths: Sequence[str]

    def __getitem__(self, row: int) -> Path:
        """Where picture `row` is."""
        return self.root / self.paths[row]

    def name(self, row: int) -> str:
        """Its path below the folder."""
        return self.paths[row]


# ------------------------------------------------------------------------------------------------------ looking


def _split_folders(root: Path, held_out: str | None) -> Mapping[str, Path]:
    """The folders of `train` and, unless there is no held-out split, of `test`. Raises DataError."""
    called = {folder.name.lower(): folder for folder in _folders(root)}
    wanted = ("train", *((held_out.lower(),) if held_out else HELD_OUT))
    # a folder without folders in it holds pictures: then it is a class, whatever its name
    train, *held = [called[name] if name in called and _folders(called[name]) else None for name in wanted]
    test = next(filter(None, held), None)
    if held_out and test is None:
        raise DataError(f"{root} has no {held_out}/ with a folder for every class")
    if test is not None and train is None:
        raise DataError(f"{root} has {test.name}/, but no train/ with a folder for every class")
    return {split: folder for split, folder in (("train", train or root), ("test", test)) if folder is not None}


def _classes(folders: Mapping[str, Path]) -> tuple[str, ...]:
    """The classes, the same in all splits. Raises DataError if they are not, or if there are not two."""
    classes = {split: {folder.name for folder in _folders(inside)} for split, inside in folders.items()}
    train, names = folders["train"], classes["train"]
    if not names:
        raise DataError(
            f"{train} {_instead(train)}; pictures are looked for in CLASS/…, or train/CLASS/… and test/CLASS/…"
        )
    if len(names) == 1:  # most often a folder too high: an archive unpacked into a folder of its own
        (only,) = names
        raise DataError(f"{train} has one class only, {only}; if its classes are in {train / only}, name that folder")
    others = classes.get("test", names)
    if others != names:
        more = [
            f"only {here}/ has {', '.join(sorted(only)[:5])}"
            for here, only in ((train.name, names - others), (folders["test"].name, others - names))
            if only
        ]
        raise DataError(f"{train} and {folders['test']} have different classes: {'; '.join(more)}")
    return tuple(sorted(names))


def _instead(place: Path) -> str:
    """What is where folders of classes should be."""
    if has_shards(place):
        return f"holds parquet files (parquet:{place} reads them)"
    loose = any(map(looks_like_a_picture, os.listdir(place)))
    return "has pictures, but no folder for every class" if loose else "has no pictures"


def _folders(place: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in os.scandir(place) if entry.is_dir() and not entry.name.startswith("."))


def _pictures(root: Path, folder: Path) -> Iterator[str]:
    """Paths below `root` of all pictures in a folder, however deep, in order of their names."""
    for place, inside, files in os.walk(folder, followlinks=True):
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        here = os.path.relpath(place, root)
        yield from (f"{here}/{name}" for name in sorted(files) if looks_like_a_picture(name))


def _facts(root: Path, paths: Iterable[str]) -> str:
    """A hash of names, sizes and times."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        digest.update(os.fsencode(path))
        with suppress(OSError):  # a link to nowhere is found out when it is decoded
            about = os.stat(root / path)
            digest.update(f" {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()
