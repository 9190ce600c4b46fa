"""Parquet files in the layout of the Hugging Face hub: which there are, what their footers say, and sets of them.

    train-00000-of-00002.parquet  train-00001-of-00002.parquet  test-00000-of-00001.parquet

in a folder, or in `data/` inside it; which split is for what is said in `vitlab.data.roles`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError
from vitlab.data import cache, tables
from vitlab.data.decode import Frame
from vitlab.data.images import Splits
from vitlab.data.ingest import Listing, Rules, decoded_once
from vitlab.data.paths import local_folder, roots
from vitlab.data.roles import assigned

Files = Mapping[str, Sequence[Path]]  # a split's files, in order

# ------------------------------------------------------------------------------------------------------ finding


def has_shards(folder: Path) -> bool:
    """Whether parquet files lie there."""
    return any(any(place.glob("*.parquet")) for place in (folder, folder / "data"))


def split_files(folder: Path, splits: Mapping[str, str] | None = None, held_out: str | None = None) -> Files:
    """The files of `train`, `val` and `test`, as far as there are any. Raises DataError, as `shards` does.

    `splits` and `held_out` are as in `vitlab.data.roles`.
    """
    place = folder if any(folder.glob("*.parquet")) else folder / "data"
    names = sorted({_split_of(file) for file in place.glob("*.parquet")})
    if splits == {}:
        return {"train": sorted(place.glob("*.parquet"))}
    roles = assigned(names, str(place), splits, held_out)
    if not roles:
        shards(place, "train")
    return {role: shards(place, name) for role, name in roles.items()}


def _split_of(file: Path) -> str:
    """train-00000-of-00002.parquet -> train"""
    return re.sub(r"(-\d+(-of-\d+)?)?(-[0-9a-f]{16})?\.parquet$", "", file.name)


def shards(folder: Path, split: str) -> list[Path]:
    """The parquet files of one split, in order. Raises DataError if there is none or one of them is missing."""
    files = _shards(folder, split)
    if not files:
        raise DataError(f"{folder} has no {split}-*.parquet; it must hold train-*.parquet and test-*.parquet")
    numbered = re.fullmatch(rf"{split}-\d+-of-(\d+)\.parquet", files[0].name)
    if numbered and int(numbered[1]) != len(files):
        raise DataError(f"{folder} has {len(files)} of the {int(numbered[1])} files {split}-*-of-{numbered[1]}.parquet")
    return files


def _shards(folder: Path, split: str) -> list[Path]:
    return sorted([*folder.glob(f"{split}-*.parquet"), *folder.glob(f"{split}.parquet")])


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
    files = {split: shards(local, split) for split in ("train", "test")} if local else {}
    entry = cache.entry(layout.folder, repr(layout), files=[file for split in files.values() for file in split])
    splits = cache.read(entry)
    if splits is None:
        splits = _decoded(_from_files(layout, files) if local else _from_hub(layout))
        cache.write(entry, splits)
    return splits


def _from_files(layout: Layout, files: Files) -> Listing:
    named = columns(files, layout.image, layout.label)
    return tables.listing(tables.open_files(files), named, _frame(layout), row_counts(files))


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
