"""The layout of a folder of pictures: which of its folders are splits, which are classes, and what is passed over.

    train/CLASS/…   val/CLASS/…   test/CLASS/…     splits, each with a folder for every class, as torchvision has it
    CLASS/…                                        no splits

Nothing is decoded here. Where a layout can be read in two ways, the conventional one is taken and said, or both are
named and refused.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vitlab.base.errors import DataError
from vitlab.base.words import counted, readable, some
from vitlab.data.decode import looks_like_a_picture
from vitlab.data.parquet import has_shards
from vitlab.data.roles import assigned, role_of

_SHOWN = 3  # names in a sentence


class Folders(NamedTuple):
    """The pictures of every split, class after class, as paths below the root; and what is to be said of the rest."""

    class_names: tuple[str, ...]
    pictures: Mapping[str, Sequence[Sequence[str]]]
    layout: str
    notes: tuple[str, ...]
    not_pictures: Mapping[str, int]


def read_layout(
    root: Path, splits: Mapping[str, str] | None = None, held_out: str | None = None, class_depth: int | None = 1
) -> Folders:
    """Look through a folder. Raises DataError where it cannot be read, or only in ways that contradict each other.

    `splits` are the folders' names by role, none for a set without; `held_out` is the test's. Classes are the folders
    at `class_depth` below a split, each with all that is in it; None: every folder that has pictures itself.
    """
    folders = split_folders(root, splits, held_out)
    classes = {role: _class_folders(folder, class_depth) for role, folder in folders.items()}
    names = _class_names(folders, classes)
    walk = _Walk(root, {os.path.realpath(place) for place in _places(root, folders, classes)})
    shallow = class_depth is None
    pictures: dict[str, list[list[str]]] = {}
    for role in sorted(folders):  # the test before the training split: what both link to is not trained on
        pictures[role] = [
            [path for place in classes[role].get(name, ()) for path in walk.pictures(place, shallow)] for name in names
        ]
    notes = [
        *_about_roles(root, folders),
        *_about_classes(folders, classes, names, pictures, class_depth),
        *_not_read(root, folders, classes),
        *walk.notes(),
    ]
    _check(folders, names, pictures)
    return Folders(names, {role: pictures[role] for role in folders}, _said(root, folders), tuple(notes), walk.others)


def class_names(
    root: Path, splits: Mapping[str, str] | None, held_out: str | None, class_depth: int | None
) -> tuple[str, ...]:
    """The classes alone, for which no picture is looked for."""
    folders = split_folders(root, splits, held_out)
    return _class_names(folders, {role: _class_folders(folder, class_depth) for role, folder in folders.items()})


# ------------------------------------------------------------------------------------------------------- splits


def split_folders(root: Path, splits: Mapping[str, str] | None, held_out: str | None) -> dict[str, Path]:
    """The folders of `train`, `val` and `test`, as far as there are any. Raises DataError."""
    inside = {folder.name: folder for folder in _folders(root)}
    if splits == {}:
        return {"train": root}
    if splits is None:  # a folder without folders in it holds pictures: then it is a class, whatever its name
        deep = [name for name, folder in inside.items() if _folders(folder)]
        named = [name for name in deep if role_of(name) or name.lower() == (held_out or "").lower()]
    else:
        named = list(inside)
    if held_out and held_out.lower() not in (name.lower() for name in named):
        raise DataError(f"{root} has no {held_out}/ with a folder for every class")
    roles = assigned(named, str(root), splits, held_out)
    if not roles:
        return {"train": root}
    if "train" not in roles:
        _check_held_out_alone(root, inside, roles, chosen=splits is not None or held_out is not None)
    elif splits is None:
        _check_loose(root, inside, roles)
    return {role: inside[name] for role, name in roles.items()}


def _check_held_out_alone(root: Path, inside: Mapping[str, Path], roles: Mapping[str, str], chosen: bool) -> None:
    """A test split alone can be evaluated; with other folders beside it that could be classes it is a riddle."""
    others = [name for name in inside if name not in roles.values()]
    if others and not chosen:
        test = next(iter(roles.values()))
        raise DataError(
            f"{root} has {test}/, but no train/ with a folder for every class. If all of its folders are classes: "
            f'data.splits={{}}; if {test}/ is to be evaluated on: data.splits={{"test": "{test}"}}'
        )


def _check_loose(root: Path, inside: Mapping[str, Path], roles: Mapping[str, str]) -> None:
    """Pictures without class folders, where a split should be, are no classes and no split."""
    for name, folder in inside.items():
        if role_of(name) and name not in roles.values() and not _folders(folder):
            loose = sum(looks_like_a_picture(file) for file in os.listdir(folder))
            if loose:
                rest = ", ".join(f'"{role}": "{used}"' for role, used in roles.items())
                raise DataError(
                    f"{root / name} has {counted(loose, 'picture')} and no folder for every class, so their classes "
                    f"are not known. Sort them into {name}/CLASS/, or leave them out: data.splits={{{rest}}}"
                )


# ------------------------------------------------------------------------------------------------------ classes


def _class_folders(folder: Path, class_depth: int | None) -> dict[str, list[Path]]:
    """The folders of every class: two spellings of one name, composed and decomposed, are one class."""
    found = _below(folder, class_depth) if class_depth else _with_pictures(folder)
    classes: dict[str, list[Path]] = {}
    for place in found:
        name = unicodedata.normalize("NFC", readable(place.relative_to(folder).as_posix()))
        classes.setdefault(name, []).append(place)
    return classes


def _below(folder: Path, depth: int) -> list[Path]:
    places = [folder]
    for _ in range(depth):
        places = [inside for place in places for inside in _folders(place)]
    return places


def _with_pictures(folder: Path) -> list[Path]:
    walked: list[Path] = []
    for place, inside, files in os.walk(folder):  # links are not followed: they would name a class by a detour
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        if place != str(folder) and any(map(looks_like_a_picture, files)):
            walked.append(Path(place))
    return walked


def _class_names(folders: Mapping[str, Path], classes: Mapping[str, Mapping[str, list[Path]]]) -> tuple[str, ...]:
    """The classes, in order of their names. Raises DataError if there are not two, or a split has others."""
    first = "train" if "train" in folders else next(iter(folders))
    here, names = folders[first], set(classes[first])
    if not names:
        raise DataError(
            f"{here} {_instead(here)}; pictures are looked for in CLASS/…, or train/CLASS/… and test/CLASS/…"
        )
    if len(names) == 1 and first == "train":  # most often a folder too high: an archive unpacked into its own folder
        (only,) = names
        raise DataError(f"{here} has one class only, {only}; if its classes are in {here / only}, name that folder")
    for role, folder in folders.items():
        unknown = sorted(set(classes[role]) - names)
        if unknown:
            shown = ", ".join(unknown[:_SHOWN]) + (", …" if len(unknown) > _SHOWN else "")
            raise DataError(f"{here} and {folder} have different classes: only {folder.name}/ has {shown}")
    return tuple(sorted(names))


def _check(folders: Mapping[str, Path], names: Sequence[str], pictures: Mapping[str, Sequence[Sequence[str]]]) -> None:
    empty = [name for name, inside in zip(names, pictures.get("train", ()), strict=False) if not inside]
    if empty:
        raise DataError(f"no picture in class {', '.join(map(repr, empty[:_SHOWN]))} of {folders['train']}")


def _instead(place: Path) -> str:
    """What is where folders of classes should be."""
    if has_shards(place):
        return f"holds parquet files (parquet:{place} reads them)"
    loose = any(map(looks_like_a_picture, os.listdir(place)))
    return "has pictures, but no folder for every class" if loose else "has no pictures"


# ----------------------------------------------------------------------------------------------- what is to be said


def _said(root: Path, folders: Mapping[str, Path]) -> str:
    if list(folders.values()) == [root]:
        return "a folder for every class, no splits"
    return ", ".join(f"{folder.name}/" for folder in folders.values()) + ", with a folder for every class"


def _about_roles(root: Path, folders: Mapping[str, Path]) -> Iterable[str]:
    for role, folder in folders.items():
        if folder != root and role_of(folder.name) != role:
            yield f"{folder.name}/ is the {role} split"


def _about_classes(
    folders: Mapping[str, Path],
    classes: Mapping[str, Mapping[str, list[Path]]],
    names: Sequence[str],
    pictures: Mapping[str, Sequence[Sequence[str]]],
    class_depth: int | None,
) -> Iterable[str]:
    for role, folder in folders.items():
        twice = [name for name, places in classes[role].items() if len(places) > 1]
        if twice:
            yield f"{folder.name}/ has {', '.join(twice[:_SHOWN])} in two spellings of Unicode: one class"
        if role != "train":
            missing = [name for name, inside in zip(names, pictures[role], strict=True) if not inside]
            if missing:
                yield f"{folder.name}/ has no picture of {some(missing)}"
    first = classes["train"] if "train" in classes else next(iter(classes.values()))
    inner = [place for places in first.values() for place in places if not _loose(place)]
    deeper = [inside for place in inner for inside in _folders(place)]
    if class_depth and len(inner) == len(first) and len(deeper) > len(first):
        yield (
            f"classes are the folders {some(sorted(first))}; they have no pictures themselves but {len(deeper)} "
            f"folders: if those are the classes, set data.class_depth={class_depth + 1}"
        )


def _not_read(
    root: Path, folders: Mapping[str, Path], classes: Mapping[str, Mapping[str, list[Path]]]
) -> Iterable[str]:
    """Pictures in no split, or in a split but in no class."""
    places = {root, *folders.values()}
    for folder in sorted(places):
        inside_classes = {place for of_split in classes.values() for found in of_split.values() for place in found}
        loose = _loose(folder) if folder not in inside_classes else 0
        if loose:
            yield f"not read: {counted(loose, 'picture')} in {folder} itself, in no class"
    if list(folders.values()) != [root]:
        for folder in _folders(root):
            if folder not in places:
                count = sum(looks_like_a_picture(name) for _, _, files in os.walk(folder) for name in files)
                yield f"not read: {folder.name}/ ({counted(count, 'picture')}), which is in no split"


def _loose(folder: Path) -> int:
    return sum(entry.is_file() and looks_like_a_picture(entry.name) for entry in os.scandir(folder))


# ------------------------------------------------------------------------------------------------------ walking


def _folders(place: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in os.scandir(place) if entry.is_dir() and not entry.name.startswith("."))


def _places(root: Path, folders: Mapping[str, Path], classes: Mapping[str, Mapping[str, list[Path]]]) -> Iterable[Path]:
    yield root
    yield from folders.values()
    for of_split in classes.values():
        for places in of_split.values():
            yield from places


@dataclass
class _Walk:
    """All pictures below folders, each file once: links are followed, but never to where pictures have an owner."""

    root: Path
    owned: set[str]  # the real paths of the root, the splits and the classes: no link below them leads there
    entered: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    again: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def pictures(self, folder: Path, shallow: bool) -> list[str]:
        """Paths below the root, in order of their names: a folder's own pictures, then those of its folders."""
        real = os.path.realpath(folder)
        self.entered.add(real)
        entries = sorted((e for e in os.scandir(folder) if not e.name.startswith(".")), key=lambda entry: entry.name)
        inside = [entry for entry in entries if entry.is_dir()]
        found = [path for entry in entries if not entry.is_dir() and (path := self._picture(entry, real))]
        for entry in inside if not shallow else ():
            there = os.path.realpath(entry.path)
            if there in self.entered or there in self.owned:
                self.again.append(self._below_root(entry.path))
            else:
                found += self.pictures(Path(entry.path), shallow)
        return found

    def _picture(self, entry: "os.DirEntry[str]", folder: str) -> str | None:
        """Its path below the root, if it is one that was not met before."""
        if not looks_like_a_picture(entry.name):
            self.others[os.path.splitext(entry.name)[1].lower() or "no suffix"] += 1
            return None
        real = os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(folder, entry.name)
        if real in self.met:
            self.again.append(self._below_root(entry.path))
            return None
        self.met.add(real)
        return self._below_root(entry.path)

    def _below_root(self, path: str) -> str:
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    def notes(self) -> Iterable[str]:
        """What is to be said of links."""
        if self.again:
            links = "link leads" if len(self.again) == 1 else "links lead"
            shown = some([readable(path) for path in self.again])
            yield f"not followed: {len(self.again)} {links} to what is read already: {shown}"
