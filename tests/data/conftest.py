"""Tiny parquet files in the hub's layout, and a cache that is not the user's."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


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
