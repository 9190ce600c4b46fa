"""Tiny pictures: in memory, as files, in parquet files in the hub's layout; and a cache that is not the user's."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vitlab.data.decode import Frame
from vitlab.data.encoded import Encoded
from vitlab.data.rows import Rows
from vitlab.data.tables import Columns


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """`put("train/cat", 3)`: three files called like pictures in that folder of the set `pets`; its folder."""

    def write(place: str, count: int = 2) -> Path:
        folder = tmp_path / "pets" / place
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (folder / f"{number}.png").touch()
        return tmp_path / "pets"

    return write


def encoded(picture: np.ndarray, kind: str) -> dict[str, object]:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format=kind, lossless=True)
    return {"bytes": buffer.getvalue(), "path": None}


@pytest.fixture
def write_shard() -> Callable[..., np.ndarray]:
    """Write random pictures [n, H, W, 3] with labels 0, 1, … into a parquet file; the pictures come back."""

    def write(
        file: Path, count: int, names: list[str], *, label: str = "label", side: int = 32, seed: int = 0
    ) -> np.ndarray:
        import datasets

        pictures = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
        kinds = ["WebP", "PNG"]
        rows = {
            "img": [encoded(picture, kinds[i % 2]) for i, picture in enumerate(pictures)],
            label: [i % len(names) for i in range(count)],
        }
        features = datasets.Features({"img": datasets.Image(), label: datasets.ClassLabel(names=names)})
        file.parent.mkdir(parents=True, exist_ok=True)
        datasets.disable_progress_bars()
        datasets.Dataset.from_dict(rows, features=features).to_parquet(file)
        return pictures

    return write


def flat(shade: int) -> bytes:
    """A picture of one shade of grey, 8 × 8, as a PNG."""
    buffer = io.BytesIO()
    Image.new("L", (8, 8), shade).save(buffer, "PNG")
    return buffer.getvalue()


class Shelf:
    """Stored pictures 0, 1, …, each all of the shade of its number; those in `broken` are no pictures.

    `taken` says which were read, and how often.
    """

    def __init__(self, count: int, broken: Sequence[int] = ()):
        self.pictures = [b"broken" if row in broken else flat(row) for row in range(count)]
        self.taken: list[int] = []

    def __getitem__(self, row: int) -> bytes:
        self.taken.append(row)
        return self.pictures[row]

    def name(self, row: int) -> str:
        return f"picture {row}"

    identity = name


@pytest.fixture
def shelf() -> Callable[..., Shelf]:
    """`shelf(5, broken=[2])`: five stored pictures, of which one is none."""
    return Shelf


@pytest.fixture
def on_shelf() -> Callable[..., Encoded]:
    """`on_shelf(5, broken=[2], classes=3)`: the same as a split, decoded to 4 × 4 in grey; labels 0, 1, 2, 0, 1."""

    def make(count: int, broken: Sequence[int] = (), classes: int = 2) -> Encoded:
        rows = torch.arange(count)
        return Encoded(Shelf(count, broken), rows, rows % classes, Frame((4, 4), 1))

    return make


@pytest.fixture
def streamed() -> Callable[..., Rows]:
    """`streamed(10, shards=3, broken=[2])`: pictures as `shelf` has them, as the rows of a stream; labels 0, 1, 0 …"""
    import datasets

    def make(count: int, shards: int = 1, broken: Sequence[int] = (), classes: int = 2) -> Rows:
        pictures = [{"bytes": picture, "path": None} for picture in Shelf(count, broken).pictures]
        kinds = {
            "image": datasets.Image(),
            "label": datasets.Value("int64"),
            "more": datasets.Value("string"),
        }
        values = {"image": pictures, "label": [row % classes for row in range(count)], "more": [""] * count}
        table = datasets.Dataset.from_dict(values, features=datasets.Features(kinds)).to_iterable_dataset(shards)
        return Rows(table, Columns("image", "label", None), classes, "pets train")

    return make
