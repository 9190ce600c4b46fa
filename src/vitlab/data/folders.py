"""Folders as they lie on a disk: the folders, pictures and links in them.

What is hidden is passed over. A link is what it leads to; one that leads nowhere is no folder, but is a picture if it
is called so: that is found out, and said, when it is decoded.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vitlab.base.words import readable, some
from vitlab.data.decode import looks_like_a_picture

_TABLES = (".csv", ".tsv", ".jsonl")  # in which other programs expect the labels of pictures


def folders_in(place: Path) -> list[Path]:
    """The folders there, in order."""
    return [Path(entry.path) for entry in _in_order(filter(_is_folder, os.scandir(place)))]


def pictures_in(place: str | Path) -> int:
    """How many pictures lie there, not counting those in folders."""
    return sum(looks_like_a_picture(entry.name) and _is_file(entry) for entry in os.scandir(place))


def tables_in(place: Path) -> list[str]:
    """The names of files there that may list pictures and their labels."""
    tables = [entry for entry in os.scandir(place) if entry.name.lower().endswith(_TABLES)]
    return [readable(entry.name) for entry in _in_order(tables)]


def dead_links_in(place: Path) -> list[str]:
    """The names of links there that lead nowhere, and are not called like pictures."""
    dead = [entry for entry in os.scandir(place) if entry.is_symlink() and not os.path.exists(entry.path)]
    return [readable(entry.name) for entry in _in_order(dead) if not looks_like_a_picture(entry.name)]


def with_all_below(place: Path) -> Iterator[Path]:
    """A folder and all folders in it, however deep; links are not followed."""
    waiting = [place]
    while waiting:
        yield (here := waiting.pop())
        waiting += [inside for inside in reversed(folders_in(here)) if not inside.is_symlink()]


def nfc(name: str) -> str:
    """The one spelling of a name that does not change when a folder is packed, moved and unpacked."""
    return unicodedata.normalize("NFC", name)


def _in_order(entries: "Iterable[os.DirEntry[str]]") -> "list[os.DirEntry[str]]":
    """Those that are not hidden, in one order whatever the spelling of Unicode."""
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted(shown, key=lambda entry: (nfc(entry.name), entry.name))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """No folder, pipe or device: nothing else can be opened without waiting for ever."""
    if entry.is_symlink():
        return os.path.isfile(entry.path) or not os.path.exists(entry.path)
    return entry.is_file()


@dataclass
class Walk:
    """All pictures below folders, each file once: links are followed, but never to where pictures have an owner."""

    root: Path
    met: set[str]  # real paths that no link leads to again: at first the root, the splits and the classes
    again: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def pictures(self, folder: Path, shallow: bool) -> list[str]:
        """Paths below the root, in order of their names: a folder's own pictures, then those of its folders."""
        found: list[str] = []
        waiting = [(str(folder), os.path.realpath(folder))]
        while waiting:
            place, real = waiting.pop()
            inside = []
            for entry in _in_order(os.scandir(place)):
                if _is_folder(entry):
                    inside.append(entry)
                elif self._is_picture(entry) and self._first(entry, real):
                    found.append(self._below_root(entry.path))
            if not shallow:
                entered = [(entry.path, there) for entry in inside if (there := self._first(entry, real))]
                waiting += reversed(entered)
        return found

    def _is_picture(self, entry: "os.DirEntry[str]") -> bool:
        """Whether it is one; what is none is counted."""
        suffix = os.path.splitext(entry.name)[1].lower()
        if not _is_file(entry):
            self.others["pipe or device"] += 1
        elif not looks_like_a_picture(entry.name):
            self.others[readable(suffix) or "no suffix"] += 1
        else:
            return True
        return False

    def _first(self, entry: "os.DirEntry[str]", folder: str) -> str | None:
        """The real path of what lies in a folder with that real path, if it was not met before."""
        real = os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(folder, entry.name)
        if real in self.met:
            self.again.append(self._below_root(entry.path))
            return None
        self.met.add(real)
        return real

    def _below_root(self, path: str) -> str:
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    def notes(self) -> Iterable[str]:
        """What is to be said of links."""
        if self.again:
            links = "link leads" if len(self.again) == 1 else "links lead"
            shown = some([readable(path) for path in self.again])
            yield f"not followed: {len(self.again)} {links} to what is read already: {shown}"
