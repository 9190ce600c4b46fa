"""Parquet files as the Hugging Face hub has them: which there are, what their footers say, and sets of them.

    train-00000-of-00002.parquet  train-00001-of-00002.parquet  test-00000-of-00001.parquet
    train/0000.parquet  train/0001.parquet  test/0000.parquet

The first in a folder, or in `data/` inside it; the second, which is the hub's own branch of parquet files, in a folder
or in one for a configuration. Which split is for what is said in `vitlab.data.roles`.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.errors import DataError
from vitlab.base.files import is_no_file
from vitlab.base.words import some
from vitlab.data import cache, tables
from vitlab.data.decode import Frame, looks_like_a_picture
from vitlab.data.images import Splits
from vitlab.data.ingest import Listing, Rules, decoded_once
from vitlab.data.paths import local_folder, roots
from vitlab.data.reach import Reach
from vitlab.data.roles import NAMES, assigned_tables

Files = Mapping[str, Sequence[Path]]  # a split's files, in order

# ------------------------------------------------------------------------------------------------------ finding


class Found(NamedTuple):
    """The files of `train`, `val` and `test`, as far as there are any; how they are read, and what is to be said."""

    files: Files
    layout: str
    notes: tuple[str, ...]


NO_SHARDS = ("metadata.parquet",)  # beside pictures, the hub's ImageFolder has what there is to say of them


def has_shards(folder: Path) -> bool:
    """Whether parquet files lie there."""
    return any(map(_shards, (folder, folder / "data"))) or bool(_configurations(folder))


def find(folder: Path, splits: Mapping[str, str] | None = None, held_out: str | None = None) -> Found:
    """The files in a folder, by split. Raises DataError if there are none, or some are missing.

    `splits` and `held_out` are as in `vitlab.data.roles`.
    """
    there = _by_name(folder)
    chosen = assigned_tables(list(there), str(folder), splits, held_out)
    for names in chosen.names.values():
        for name in names:
            _check_complete(name, there[name])
    files = {role: [file for name in names for file in there[name]] for role, names in chosen.names.items()}
    for file in (file for shards in files.values() for file in shards):
        if is_no_file(file):
            raise DataError(f"{file} is not a file")
    return Found(files, chosen.layout, (*chosen.notes, *_beside(folder, there)))


def _by_name(folder: Path) -> Files:
    """The files of every split that there is, by its name: that of the files, or of the folder that they lie in."""
    for place in (folder, folder / "data"):
        if shards := _shards(place):
            return _grouped(shards, [_split_of(file) for file in shards])
    places = _configurations(folder)
    if len(places) > 1:
        names = some([place.name for place in places])
        raise DataError(f"{folder} has a set in each of {names}; name one of them, such as {places[0]}")
    if not places:
        raise DataError(f"{folder} has no parquet files such as train-*.parquet, nor train/*.parquet")
    shards = [file for split in _folders(places[0]) for file in _shards(split)]
    return _grouped(shards, [file.parent.name for file in shards])


def _shards(place: Path) -> list[Path]:
    return sorted(file for file in place.glob("*.parquet") if file.name not in NO_SHARDS)


def _split_of(file: Path) -> str:
    """train-00000-of-00002.parquet -> train; train_1.parquet, too"""
    return re.sub(r"([-_.]\d+(-of-\d+)?)?(-[0-9a-f]{16})?\.parquet$", "", file.name)


def _grouped(files: Sequence[Path], names: Sequence[str]) -> Files:
    groups: dict[str, list[Path]] = {name: [] for name in sorted(names)}
    for file, name in zip(files, names, strict=True):
        groups[name].append(file)
    return groups


def _configurations(folder: Path) -> list[Path]:
    """Where splits are folders of parquet files: the folder itself, or those in it, one for each configuration."""
    return [folder] if _has_splits(folder) else [place for place in _folders(folder) if _has_splits(place)]


def _folders(place: Path) -> list[Path]:
    return sorted(inside for inside in place.glob("*/") if not inside.name.startswith("."))


def _has_splits(place: Path) -> bool:
    splits = (place / name for names in NAMES.values() for name in names)  # asked for: listing classes takes seconds
    return any(os.path.isdir(split) and _shards(split) for split in splits)


def _check_complete(split: str, files: Sequence[Path]) -> None:
    numbered = re.fullmatch(r".*-\d+-of-(\d+)\.parquet", files[0].name)
    if numbered and int(numbered[1]) != len(files):
        raise DataError(
            f"{files[0].parent} has {len(files)} of the {int(numbered[1])} files {split}-*-of-{numbered[1]}.parquet"
        )


def _beside(folder: Path, there: Files) -> Iterator[str]:
    """Folders that could have been read in place of the files."""
    read = {file.relative_to(folder).parts[0] for shards in there.values() for file in shards}
    others = [place for place in _folders(folder) if place.name not in read]
    names = {place.name: [name for _, _, inside in os.walk(place) for name in inside] for place in others}
    if pictures := [f"{place}/" for place, inside in names.items() if any(map(looks_like_a_picture, inside))]:
        yield f"not read: pictures in {some(pictures)}, beside the tables; folder:{folder} reads them"
    if shards := [f"{place}/" for place, inside in names.items() if any(name.endswith(".parquet") for name in inside)]:
        yield f"not read: parquet files in {some(shards)}, beside the others; parquet:{folder}/{shards[0]} reads them"


# ------------------------------------------------------------------------------------------------------ footers


def row_counts(files: Files) -> dict[str, tables.Shards]:
    """Names of the files of each split, and how many rows each has. Raises DataError for a truncated one."""
    return {split: [(file.name, _footer(file).num_rows) for file in shards] for split, shards in files.items()}


def columns(files: Files, image: str | None = None, label: str | None = None) -> tables.Columns:
    """The columns of pictures and labels, the same in all splits. Raises DataError, as `tables.columns` does."""
    import datasets

    schemas = {str(first): _footer(first).schema.to_arrow_schema() for first, *_ in files.values()}
    features = {origin: datasets.Features.from_arrow_schema(schema) for origin, schema in schemas.items()}
    return tables.columns(features, image, label)


def _footer(file: Path) -> Any:
    # `datasets` has no way to read a footer alone; pyarrow, which it stands on, has
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_metadata(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read, it may be truncated: {error}") from None


# ---------------------------------------------------------------------------------------- sets of one known size


@dataclass(frozen=True)
class Layout:
    """Where a data set lies and how: its folder, its name on the hub, its two columns, its pictures' (C, H, W)."""

    folder: str
    hub: str
    image: str
    label: str
    shape: tuple[int, int, int]


def read(layout: Layout) -> Splits:
    """The decoded data set: from the cache, else from a local folder, else from the hub. Raises DataError.

    Every picture must be readable, and of the layout's size.
    """
    local = local_folder(layout.folder)
    files = _official(local) if local else {}
    entry = cache.entry(layout.folder, repr(layout), files=[file for split in files.values() for file in split])
    splits = cache.read(entry)
    if splits is None:
        splits = _decoded(_from_files(layout, files, local) if local else _from_hub(layout))
        cache.write(entry, splits)
    return splits


def _official(folder: Path) -> Files:
    """The files of both splits."""
    files = find(folder).files
    for split in ("train", "test"):
        if split not in files:
            raise DataError(f"{folder} has no {split}-*.parquet; it must hold train-*.parquet and test-*.parquet")
    return files


def _from_files(layout: Layout, files: Files, folder: Path) -> Listing:
    named = columns(files, layout.image, layout.label)
    return tables.listing(tables.open_files(files), named, _frame(layout), row_counts(files), Reach((folder,)))


def _from_hub(layout: Layout) -> Listing:
    try:
        opened = tables.open_hub(layout.hub)
    except DataError as error:
        raise _absent(layout, error) from None
    splits = {split: opened[split] for split in ("train", "test")}
    return tables.hub_listing(splits, layout.hub, layout.image, layout.label, _frame(layout))


def _frame(layout: Layout) -> Frame:
    channels, rows, columns = layout.shape
    return Frame((rows, columns), channels, "exact")


def _decoded(listing: Listing) -> Splits:
    """Everything, decoded; every picture must be readable."""
    return decoded_once(listing, Rules(test_fraction=None, max_unreadable=0))


def _absent(layout: Layout, error: Exception) -> DataError:
    looked = " and ".join(str(root / layout.folder) for root in roots())
    return DataError(
        f"{layout.folder} is neither in {looked} nor on the hub as {layout.hub} ({error}). Put train-*.parquet and "
        f"test-*.parquet (columns {layout.image}, {layout.label}) into a folder named {layout.folder}, and set "
        "VITLAB_DATA to the folder that it lies in"
    )
