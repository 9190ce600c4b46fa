"""Data as people have them: small trees of pictures, made here; and a run that takes a second."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tests.cli.conftest import vitlab as vitlab  # the fixture
from vitlab import api

TINY = {
    "data.img_size": 8,
    "model.patch_size": 4,
    "model.embed_dim": 16,
    "model.depth": 1,
    "model.num_heads": 2,
    "steps": 4,
    "epochs": None,
    "batch_size": 8,
    "optim.schedule": "cosine",
    "val_fraction": 0,
}
CHOICES = {"device": "cpu", "precision": "fp32", "kernel": "explicit", "threads": 1}


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that is not the user's."""
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def picture(path: Path, shade: int, size: tuple[int, int] = (8, 8)) -> Path:
    """A picture of noise, another for every `shade`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(shade).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """`tree("pets/train", ["cat", "dog"], 20)`: a folder with twenty pictures of each class; the set's folder."""
    made = iter(range(1_000_000))

    def make(base: str, classes: Sequence[str], count: int = 20, suffix: str = "png") -> Path:
        for name in classes:
            for number in range(count):
                picture(tmp_path / base / name / f"{number}.{suffix}", next(made))
        return tmp_path / base.split("/", 1)[0]

    return make


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """`run(folder, "name", steps=8)`: a tiny run of the recipe `pictures` on a folder; its own folder."""

    def train(
        data: Path,
        name: str = "run",
        resume: bool = False,
        init: Path | None = None,
        console: Console | None = None,
        **settings: Any,
    ) -> Path:
        changed = TINY | {"data": str(data)} | settings
        how = {"overrides": CHOICES, "resume": resume, "init": init, "console": console}
        api.train("pictures", tmp_path / name, settings=changed, **how)
        return tmp_path / name

    return train


def split_images(look: api.DataLook) -> dict[str, int]:
    """How many pictures each split has."""
    return {split: found.images for split, found in look.found.splits.items()}


def said(look: api.DataLook) -> str:
    """All that a person is told."""
    return "\n".join(look.found.told())


def link(path: Path, target: str) -> None:
    """A symbolic link."""
    os.symlink(target, path)


def study_file(path: Path, base: dict[str, object], seeds: int) -> Path:
    """A study of two cells."""
    design = {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "none"]}}
    path.write_text(
        json.dumps({"question": "Which?", "num_seeds": seeds, "verdicts": False, "base": base, "design": design})
    )
    return path
