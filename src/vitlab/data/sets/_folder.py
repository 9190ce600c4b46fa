"""Pictures as files, in a folder per class."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch

from vitlab.base.errors import SpecError
from vitlab.base.spec import whereabouts
from vitlab.base.words import readable
from vitlab.data import cache
from vitlab.data.encoded import Encoded
from vitlab.data.folders import nfc
from vitlab.data.ingest import Listing, Source
from vitlab.data.layout import class_names, read_layout
from vitlab.data.paths import locate
from vitlab.data.sets._pictures import PicturesSpec
from vitlab.data.split_folders import unread_tables


@dataclass(frozen=True, kw_only=True)
class FolderSpec(PicturesSpec):
    """`path` is looked up from here, then where data sets lie (`$VITLAB_DATA`). Classes are numbered by name.

    `class_depth` says how deep below a split the folders of classes lie; null makes every folder that has pictures
    itself a class, called by its path.
    """

    path: str = whereabouts()
    class_depth: int | None = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_depth is not None and self.class_depth < 1:
            raise SpecError(f"class_depth={self.class_depth}: must be positive, or null for every folder with pictures")

    def class_names(self) -> tuple[str, ...]:
        return class_names(locate(self.path), self.splits, self.held_out, self.class_depth)

    def where_else(self, only: str) -> str:  # most often: an archive was unpacked into a folder of its own
        here = locate(self.path)
        inside = here / only
        return f"{unread_tables(here)}; if its classes are in {inside}, name that folder" if inside.is_dir() else ""

    def source(self) -> Source:
        root = locate(self.path)
        folders = read_layout(root, self.splits, self.held_out, self.class_depth)
        splits = {split: self._encoded(root, classes) for split, classes in folders.pictures.items()}
        place = root.resolve()
        facts = [
            (split, [len(paths) for paths in classes], cache.state(f"{place}/{path}" for of in classes for path in of))
            for split, classes in folders.pictures.items()
        ]
        listing = Listing(splits, folders.class_names, folders.layout, folders.notes, folders.not_pictures)
        return Source("folder", f"{folders._replace(pictures={})} {facts}", lambda: listing)

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
        return readable(self.paths[row])

    def identity(self, row: int) -> str:
        """The same, in the one spelling of Unicode that does not change when a folder is moved."""
        return nfc(self.name(row))
