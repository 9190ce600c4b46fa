"""Which folders of a set of pictures are its splits.

Known by the names that the field has for them. Where names or places allow another reading, both are named and
refused, with the setting for each.
"""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vitlab.base.errors import DataError
from vitlab.base.words import counted, some
from vitlab.data.folders import folders_in, pictures_in, tables_in
from vitlab.data.roles import ROLES, assigned, role_in, role_of


def split_folders(root: Path, splits: Mapping[str, str] | None, held_out: str | None) -> dict[str, Path]:
    """The folders of `train`, `val` and `test`, as far as there are any. Raises DataError."""
    if splits == {}:
        return {"train": root}
    inside = {folder.name: folder for folder in folders_in(root)}
    if splits is None:
        roles = _by_their_names(root, {name: folders_in(folder) for name, folder in inside.items()}, held_out)
    else:
        roles = assigned(list(inside), str(root), splits)
    return {role: _unpacked(inside[name]) for role, name in roles.items()} or {"train": root}


def setting(splits: Mapping[str, str]) -> str:
    """What to type for these splits."""
    return f"--set {shlex.quote(f'data.splits={json.dumps(splits, ensure_ascii=False)}')}"


def unread_tables(place: Path) -> str:
    """'; labels.csv is not read': to be added to a sentence about the classes of pictures there."""
    tables = tables_in(place)
    return f"; {some(tables)} {'is' if len(tables) == 1 else 'are'} not read" if tables else ""


def _unpacked(folder: Path) -> Path:
    """A split's folder, or the one folder of the same kind in it, as in `seg_train/seg_train/CLASS`."""
    match folders_in(folder):
        case [inner] if _alike(inner.name, folder.name) and folders_in(inner) and not pictures_in(folder):
            return inner
    return folder


def _alike(name: str, other: str) -> bool:
    return name.lower() == other.lower() or (role_in(name) is not None and role_in(name) == role_in(other))


# `below`: by the name of each folder, the folders in it; one without holds pictures, so it is a class, however called


def _by_their_names(root: Path, below: Mapping[str, Sequence[Path]], held_out: str | None) -> dict[str, str]:
    """{role: name} of the splits, by convention. Raises DataError where there is another reading."""
    chosen = (held_out or "").lower()
    named = [name for name, inside in below.items() if inside and (role_of(name) or name.lower() == chosen)]
    if chosen and chosen not in map(str.lower, named):
        raise DataError(f"{root} has no {held_out}/ with a folder for every class")
    roles = assigned(named, str(root), held_out=held_out)
    if not chosen or "train" not in roles:
        _check_likely(root, below, roles)
    if not roles:
        _check_all_loose(root, below)
        _check_inside_classes(root, below)
    elif "train" in roles:
        _check_loose(root, below, roles)
    elif not chosen:
        _check_held_out_alone(root, below, roles)
    return roles


def _check_likely(root: Path, below: Mapping[str, Sequence[Path]], roles: Mapping[str, str]) -> None:
    """`seg_train/CLASS`, `seg_test/CLASS`: names with a split's word in them may be splits, and may be classes."""
    deep = [name for name, inside in below.items() if inside]
    certain = {role: name for name in deep if (role := role_of(name))}
    likely = {role: name for name in reversed(deep) if (role := role_in(name))} | certain
    if len(likely) > len(certain) and (len(likely) > 1 or _all_like_splits(below)):
        ordered = {role: likely[role] for role in ROLES if role in likely}
        if "train" in roles:
            otherwise = f"to read {_listed(roles.values())} only: {setting(roles)}"
        else:
            otherwise = f"if all of its folders are classes: {setting({})}"
        raise DataError(
            f"{root} has {_listed(ordered.values())}, which may be splits. If so: {setting(ordered)}; {otherwise}"
        )


def _check_all_loose(root: Path, below: Mapping[str, Sequence[Path]]) -> None:
    """`train/0.png`, `test/1.png`: splits, of which the classes are not known, or classes with unusual names."""
    if _all_like_splits(below):
        raise DataError(
            f"{root} has {_listed(below)}, which are called like splits, but they have no folder for every class"
            f"{unread_tables(root)}. If they are splits, sort their pictures into folders, {next(iter(below))}/CLASS/ "
            f"and so on; if they are the classes: {setting({})}"
        )


def _all_like_splits(names: Iterable[str]) -> bool:
    """Whether all have a split's word in them, and not the same one."""
    roles = set(map(role_in, names))
    return None not in roles and len(roles) > 1


def _check_inside_classes(root: Path, below: Mapping[str, Sequence[Path]]) -> None:
    """`cat/train`, `cat/test`, `dog/train` …: pooled, the split that somebody made would be lost."""
    for name, inside in below.items():
        splits = [folder.name for folder in inside if role_of(folder.name)]
        if len(below) > 1 and len(set(map(role_of, splits))) > 1:
            raise DataError(
                f"{root / name} has {_listed(splits)} in it. If it is the data set, name that folder; if it is a "
                f"class, move its pictures into {splits[0]}/{name}/ and so on, as splits are not looked for inside "
                f"classes; to pool all of a class and hold out a part at random: {setting({})}"
            )


def _check_held_out_alone(root: Path, below: Mapping[str, Sequence[Path]], roles: Mapping[str, str]) -> None:
    """A test split alone can be evaluated; with other folders beside it that could be classes it is a riddle."""
    if set(below) - set(roles.values()):
        test = next(iter(roles.values()))
        raise DataError(
            f"{root} has {test}/, but no train/ with a folder for every class. If all of its folders are classes: "
            f"{setting({})}; if {test}/ is to be evaluated on: {setting({'test': test})}"
        )


def _check_loose(root: Path, below: Mapping[str, Sequence[Path]], roles: Mapping[str, str]) -> None:
    """Pictures without class folders, where a split should be, are no classes and no split."""
    for name, inside in below.items():
        if role_of(name) and name not in roles.values() and not inside and (loose := pictures_in(root / name)):
            raise DataError(
                f"{root / name} has {counted(loose, 'picture')} and no folder for every class, so their classes are "
                f"not known{unread_tables(root)}. Sort them into {name}/CLASS/, or leave them out: {setting(roles)}"
            )


def _listed(names: Iterable[str]) -> str:
    """'train/, val/ and 2 more'"""
    return some([f"{name}/" for name in names])
