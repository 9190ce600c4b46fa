"""The layout of a folder of pictures: which of its folders are splits, which are classes, and what is passed over.

    train/CLASS/…   val/CLASS/…   test/CLASS/…     splits, each with a folder for every class, as torchvision has it
    CLASS/…                                        no splits

Nothing is decoded here. Where a layout can be read in two ways, the conventional one is taken and said, or both are
named and refused.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from vitlab.base.errors import DataError
from vitlab.base.words import counted, readable, some
from vitlab.data.folders import Walk, dead_links_in, folders_in, nfc, pictures_in, tables_in, with_all_below
from vitlab.data.parquet import has_shards
from vitlab.data.roles import role_of
from vitlab.data.split_folders import setting, split_folders, unread_tables
from vitlab.records.data import left_out_as_no_pictures

Classes = Mapping[str, Sequence[Path]]  # the folders of every class
Pictures = Mapping[str, Sequence[Sequence[str]]]  # of every split, class after class, as paths below the root


class Folders(NamedTuple):
    """The pictures of every split, class after class, as paths below the root; and what is to be said of the rest."""

    class_names: tuple[str, ...]
    pictures: Pictures
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
    names = _class_names(root, folders, classes)
    walk = Walk(root, _real_paths(root, folders, classes))
    shallow = class_depth is None
    pictures: dict[str, list[list[str]]] = {}
    for role in sorted(folders):  # the test before the training split: what both link to is not trained on
        pictures[role] = [
            [path for place in classes[role].get(name, ()) for path in walk.pictures(place, shallow)] for name in names
        ]
    _check_pictures(root, folders, names, pictures, walk)
    notes = [
        *_about_roles(root, folders),
        *_about_classes(folders, classes, names, pictures),
        *_about_depth(root, classes, pictures, class_depth),
        *_not_read(root, folders, class_depth),
        *walk.notes(),
    ]
    return Folders(names, {role: pictures[role] for role in folders}, _said(root, folders), tuple(notes), walk.others)


def class_names(
    root: Path, splits: Mapping[str, str] | None, held_out: str | None, class_depth: int | None
) -> tuple[str, ...]:
    """The classes alone, for which no picture is looked for."""
    folders = split_folders(root, splits, held_out)
    return _class_names(root, folders, {role: _class_folders(folder, class_depth) for role, folder in folders.items()})


# ------------------------------------------------------------------------------------------------------ classes


def _class_folders(folder: Path, class_depth: int | None) -> Classes:
    """The folders of every class: two spellings of one name, composed and decomposed, are one class."""
    if class_depth:
        found = _levels(folder, class_depth)[-1]
    else:  # links are not followed: they would name a class by a detour
        found = [place for place in with_all_below(folder) if place != folder and pictures_in(place)]
    classes: dict[str, list[Path]] = {}
    for place in found:
        classes.setdefault(nfc(readable(place.relative_to(folder).as_posix())), []).append(place)
    return classes


def _places(classes: Classes) -> list[Path]:
    return list(chain.from_iterable(classes.values()))


def _levels(folder: Path, depth: int) -> list[list[Path]]:
    """The folder itself, those in it, those in them … down to a depth."""
    levels = [[folder]]
    for _ in range(depth):
        levels.append([inside for place in levels[-1] for inside in folders_in(place)])
    return levels


def _class_names(root: Path, folders: Mapping[str, Path], classes: Mapping[str, Classes]) -> tuple[str, ...]:
    """The classes, in order of their names. Raises DataError if there are none, or a split has others."""
    first = "train" if "train" in folders else next(iter(folders))
    here, names = folders[first], set(classes[first])
    if not names:
        raise DataError(
            f"{here} {_instead(here)}; pictures are looked for in CLASS/…, or train/CLASS/… and test/CLASS/…"
        )
    for role, folder in folders.items():
        unknown = sorted(set(classes[role]) - names)
        if unknown:
            raise DataError(
                f"{here} and {folder} have different classes: only {folder.name}/ has {some(unknown)}; "
                f"to leave {folder.name}/ out: {_without(role, root, folders)}"
            )
    return tuple(sorted(names))


def _instead(place: Path) -> str:
    """What is where folders of classes should be."""
    if has_shards(place):
        return f"holds parquet files (parquet:{place} reads them)"
    if pictures_in(place):
        return f"has pictures, but no folder for every class{unread_tables(place)}"
    return "has no pictures"


def _real_paths(root: Path, folders: Mapping[str, Path], classes: Mapping[str, Classes]) -> set[str]:
    """Those of the root, the splits and the classes. Raises DataError if links make one folder two of them."""
    first: dict[str, Path] = {}
    for place in [root, *folders.values(), *(place for found in classes.values() for place in _places(found))]:
        other = first.setdefault(os.path.realpath(place), place)
        if other != place:
            raise DataError(f"{other} and {place} are one folder, by a link: remove the link")
    return set(first)


def _check_pictures(
    root: Path, folders: Mapping[str, Path], names: Sequence[str], pictures: Pictures, walk: Walk
) -> None:
    """Raise DataError for a class without a picture to train on, or a split without any."""
    for role, folder in folders.items():
        empty = [f"'{name}'" for name, inside in zip(names, pictures[role], strict=True) if not inside]
        if empty and (role == "train" or len(empty) == len(names)):
            inessential = role != "train" and "train" in folders
            remedy = f"leave it out: {_without(role, root, folders)}" if inessential else "remove the empty classes"
            why = "".join(f"; {said}" for said in (*walk.notes(), *left_out_as_no_pictures(walk.others)))
            raise DataError(f"no image in class {some(empty)} of {folder}{why}. Add images, or {remedy}")


def _without(role: str, root: Path, folders: Mapping[str, Path]) -> str:
    """What to type to leave a split out."""
    return setting({other: _below(root, folder) for other, folder in folders.items() if other != role})


def _below(root: Path, folder: Path) -> str:
    """The name of the folder in the root that a split is, or is in."""
    return folder.relative_to(root).parts[0]


# ----------------------------------------------------------------------------------------------- what is to be said


def _said(root: Path, folders: Mapping[str, Path]) -> str:
    if list(folders.values()) == [root]:
        return "a folder for every class, no splits"
    return ", ".join(f"{readable(folder.name)}/" for folder in folders.values()) + ", with a folder for every class"


def _about_roles(root: Path, folders: Mapping[str, Path]) -> Iterable[str]:
    for role, folder in folders.items():
        if folder != root and role_of(folder.name) != role:
            yield f"{readable(folder.name)}/ is the {role} split"


def _about_classes(
    folders: Mapping[str, Path], classes: Mapping[str, Classes], names: Sequence[str], pictures: Pictures
) -> Iterable[str]:
    for role, folder in folders.items():
        twice = [name for name, places in classes[role].items() if len(places) > 1]
        if twice:
            yield f"{readable(folder.name)}/ has {some(twice)} in two spellings of Unicode: one class"
        missing = [name for name, inside in zip(names, pictures[role], strict=True) if not inside]
        if missing:
            yield f"{readable(folder.name)}/ has no picture of {some(missing)}"


def _about_depth(
    root: Path, classes: Mapping[str, Classes], pictures: Pictures, class_depth: int | None
) -> Iterable[str]:
    """Most pictures lie in folders of classes' folders: perhaps those are the classes."""
    role = "train" if "train" in classes else next(iter(classes))
    places = _places(classes[role])
    deeper = sum(len(folders_in(place)) for place in places) if class_depth else 0
    if class_depth and deeper > len(places):
        here = {place.relative_to(root).as_posix() for place in places}
        paths = list(chain.from_iterable(pictures[role]))
        inner = sum(path.rpartition("/")[0] not in here for path in paths)
        if inner > len(paths) / 2:
            yield (
                f"classes are the folders {some(sorted(classes[role]))}, but {inner:,} of their {len(paths):,} "
                f"pictures lie in {deeper:,} folders in them: if those are the classes, set "
                f"data.class_depth={class_depth + 1}"
            )


def _not_read(root: Path, folders: Mapping[str, Path], class_depth: int | None) -> Iterable[str]:
    """What is in no split, or in a split but in no class."""
    above = chain.from_iterable(chain(*_levels(folder, class_depth or 1)[:-1]) for folder in folders.values())
    places = list(dict.fromkeys([root, *above]))
    loose = {readable(place.as_posix()): count for place in places if (count := pictures_in(place))}
    if loose:
        yield f"not read, as they are in no class: {counted(sum(loose.values()), 'picture')} in {some(list(loose))}"
    if tables := [name for place in places for name in tables_in(place)]:
        yield f"{some(tables)} {_are(tables)} not read; the classes are the folders"
    if dead := [name for place in places for name in dead_links_in(place)]:
        yield f"not read: {some(dead)}, which {_are(dead)} linked to nothing that is there"
    if list(folders.values()) != [root]:
        used = {_below(root, folder) for folder in folders.values()}
        others = [folder for folder in folders_in(root) if folder.name not in used]
        shown = [f"{readable(folder.name)}/ ({counted(_all_pictures_in(folder), 'picture')})" for folder in others]
        if shown:
            yield f"not read: {some(shown)}, which {_are(shown)} in no split"


def _all_pictures_in(folder: Path) -> int:
    return sum(map(pictures_in, with_all_below(folder)))


def _are(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"
