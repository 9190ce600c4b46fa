"""Pictures from parquet files in the layout of the Hugging Face hub, in a local folder or on the hub itself.

Both are opened by Hugging Face `datasets`, which is imported where it is used: it takes most of a second.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vitlab.base.errors import DataError
from vitlab.data import cache
from vitlab.data.images import Images, Splits


@dataclass(frozen=True)
class Layout:
    """Where a data set lies and how: its folder, its name on the hub, its two columns, its pictures' (C, H, W)."""

    folder: str
    hub: str
    image: str
    label: str
    shape: tuple[int, int, int]


def read(layout: Layout) -> Splits:
    """The decoded data set: from the cache, else from a local folder, else from the hub. Raises DataError."""
    local = local_folder(layout.folder)
    files = {split: shards(local, split) for split in ("train", "test")} if local else {}
    entry = cache.entry(layout.folder, repr(layout), files=[file for split in files.values() for file in split])
    splits = cache.read(entry)
    if splits is None:
        splits = from_files(layout, files) if local else from_hub(layout)
        cache.write(entry, splits)
    return splits


# ------------------------------------------------------------------------------------------------------ finding


def _roots() -> list[Path]:
    chosen = os.environ.get("VITLAB_DATA")
    return [Path(chosen)] if chosen else [Path("data"), Path("../shared/data")]


def local_folder(name: str) -> Path | None:
    """The first folder `name` under `$VITLAB_DATA`, or, where that is not set, under `data` or `../shared/data`."""
    return next((root / name for root in _roots() if (root / name).is_dir()), None)


def shards(folder: Path, split: str) -> list[Path]:
    """The parquet files of one split, in order. Raises DataError if there is none or one of them is missing."""
    files = sorted(folder.glob(f"{split}-*.parquet"))
    if not files:
        raise DataError(f"{folder} has no {split}-*.parquet; it must hold train-*.parquet and test-*.parquet")
    numbered = re.fullmatch(rf"{split}-\d+-of-(\d+)\.parquet", files[0].name)
    if numbered and int(numbered[1]) != len(files):
        raise DataError(f"{folder} has {len(files)} of the {int(numbered[1])} files {split}-*-of-{numbered[1]}.parquet")
    return files


def _absent(layout: Layout, error: Exception) -> DataError:
    looked = " and ".join(str(root / layout.folder) for root in _roots())
    return DataError(
        f"{layout.folder} is neither in {looked} nor on the hub as {layout.hub} ({error}). Put train-*.parquet and "
        f"test-*.parquet (columns {layout.image}, {layout.label}) into a folder named {layout.folder}, and set "
        "VITLAB_DATA to the folder that it lies in"
    )


# ------------------------------------------------------------------------------------------------------ opening


def from_files(layout: Layout, files: dict[str, list[Path]]) -> Splits:
    """Decode the parquet files of each split."""
    return _decode(layout, {split: [(str(file), _open(file)) for file in files[split]] for split in files})


def _open(file: Path) -> Any:
    import datasets

    try:
        # the copy that `datasets` makes for itself is thrown away: the decoded cache stands in its place
        with _quiet(), tempfile.TemporaryDirectory() as scratch:
            return datasets.Dataset.from_parquet(str(file), keep_in_memory=True, cache_dir=scratch)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"{file} cannot be read, it may be truncated: {error}") from None


def from_hub(layout: Layout) -> Splits:
    """Download, or find in the hub's own cache, and decode."""
    import datasets

    try:
        with _quiet():
            opened = datasets.load_dataset(layout.hub)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _absent(layout, error) from None
    return _decode(layout, {split: [(layout.hub, opened[split])] for split in ("train", "test")})


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of `datasets`; whoever asked for them before gets them back."""
    import datasets

    hidden = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not hidden:
            datasets.enable_progress_bars()


# ----------------------------------------------------------------------------------------------------- decoding


def _decode(layout: Layout, tables: dict[str, list[tuple[str, Any]]]) -> Splits:
    origin, first = tables["train"][0]
    names = getattr(first.features.get(layout.label), "names", None)
    if names is None:
        raise DataError(f"{origin}: its column {layout.label} is missing or has no class names")
    return Splits(_images(layout, tables["train"]), _images(layout, tables["test"]), tuple(names))


def _images(layout: Layout, tables: Sequence[tuple[str, Any]]) -> Images:
    """The pictures of one split, which may lie in several tables. `origin` says where each is from."""
    for origin, table in tables:
        for column in (layout.image, layout.label):
            if column not in table.features:
                raise DataError(f"{origin} has no column {column}; it has {', '.join(table.features)}")
    pixels = np.concatenate([_pixels(layout, origin, table) for origin, table in tables])
    labels = np.concatenate([np.asarray(table[layout.label], dtype=np.int64) for _, table in tables])
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels))


def _pixels(layout: Layout, origin: str, table: Any) -> np.ndarray:
    """[n, C, H, W] uint8"""
    channels, rows, columns = layout.shape
    pixels = np.empty((len(table), rows, columns, channels), np.uint8)
    row = 0
    try:
        for batch in table.select_columns([layout.image]).iter(batch_size=512):
            for picture in batch[layout.image]:
                if picture.size != (columns, rows):
                    raise DataError(f"{origin}: picture {row} is {picture.size}, not {(columns, rows)}, wide and high")
                pixels[row] = np.asarray(picture.convert("RGB" if channels == 3 else "L")).reshape(pixels[row].shape)
                row += 1
    except OSError as error:  # Pillow's word for a picture that it cannot decode
        raise DataError(f"{origin} holds a damaged picture, at or after number {row}: {error}") from None
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
