"""Parquet files in the layout of the Hugging Face hub: which there are, what their footers say, and sets of them.

    train-00000-of-00002.parquet  train-00001-of-00002.parquet  test-00000-of-00001.parquet

in a folder, or in `data/` inside it; `validation`, `val` or `valid` may stand for `test`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError
from vitlab.data import cache, tables
from vitlab.data.decode import Frame
from vitlab.data.images import Images, Splits
from vitlab.data.ingest import Listing, decode_all
from vitlab.data.paths import HELD_OUT, local_folder, roots

Files = Mapping[str, Sequence[Path]]  # a split's files, in order

# ------------------------------------------------------------------------------------------------------ finding


def has_shards(folder: Path) -> bool:
    """Whether parquet files lie there."""
    return any(any(place.glob("*.parquet")) for place in (folder, folder / "data"))


def split_files(folder: Path, held_out: str | None = None) -> Files:
    """The files of `train` and, unless there is no held-out split, of `test`. Raises DataError, as `shards` does.

    `held_out` is what the held-out split is called; None finds it.
    """
    place = folder if any(folder.glob("*.parquet")) else folder / "data"
    files = {"train": shards(place, "train")}
    test = held_out or next((name for name in HELD_OUT if _shards(place, name)), None)
    return files if test is None else files | {"test": shards(place, test)}


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
    images = {}
    for split, pictures in listing.splits.items():
        decoded = decode_all(pictures, f"decoding the {split} split")
        images[split] = Images(decoded.whole(pictures.name), pictures.labels)
    return Splits(images["train"], images["test"], listing.class_names)


def _absent(layout: Layout, error: Exception) -> DataError:
    looked = " and ".join(str(root / layout.folder) for root in roots())
    return DataError(
        f"{layout.folder} is neither in {looked} nor on the hub as {layout.hub} ({error}). Put train-*.parquet and "
        f"test-*.parquet (columns {layout.image}, {layout.label}) into a folder named {layout.folder}, and set "
        "VITLAB_DATA to the folder that it lies in"
    )
