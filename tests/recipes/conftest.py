"""Two steps of any recipe, on a handful of made-up pictures of its set's sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vitlab.data.images import Images, Splits
from vitlab.recipes import changed, recipe
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides
from vitlab.train.spec import RunSpec


@pytest.fixture
def two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[RunSpec], dict[str, Any]]:
    """`two_steps(spec)`: the metrics after two steps of four images; everything else as the recipe says."""

    def run(spec: RunSpec) -> dict[str, Any]:
        data = type(spec.data)
        generator = torch.Generator().manual_seed(0)

        def pictures(per_class: int) -> Images:
            count = per_class * data.num_classes
            shape = (count, data.in_chans, *data.img_size)
            pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
            return Images(pixels, torch.arange(count) % data.num_classes)

        names = tuple(map(str, range(data.num_classes)))
        monkeypatch.setattr(data, "read", lambda self: Splits(pictures(10), pictures(1), names))
        short = changed(spec, {"steps": 2, "batch_size": 4})
        overrides = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
        (result,) = train([short], [tmp_path / "run"], overrides=overrides)
        assert result["status"] == "finished"
        return result["metrics"]

    return run


@pytest.fixture
def three_classes(tmp_path: Path) -> Path:
    """A folder of small pictures of several sizes."""
    return small_pictures(tmp_path / "pictures")


@pytest.fixture
def two_small_steps(tmp_path: Path, three_classes: Path) -> Callable[[str], dict[str, Any]]:
    """`two_small_steps("augreg")`: the metrics after two steps of four small pictures from a folder, one block deep."""

    def run(name: str) -> dict[str, Any]:
        spec = recipe(name)
        settings: dict[str, Any] = {
            "data": str(three_classes),
            "data.img_size": 40 if spec.preprocess else 32,
        }
        settings |= {
            "model.img_size": 32,
            "model.patch_size": 16,
            "model.depth": 1,
            "steps": 2,
            "epochs": None,
            "optim.schedule.warmup_steps": 0,
            "optim.schedule.warmup_epochs": 0.0,
            "batch_size": 4,
        }
        settings |= {"val_fraction": 0.0, "evaluate_every": 1.0}
        for way in ("augment", "preprocess"):
            sized = [place for place, op in enumerate(getattr(spec, way)) if getattr(op, "size", None)]
            settings |= {f"{way}.{place}.size": 32 for place in sized}
        overrides = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
        (result,) = train([changed(spec, settings)], [tmp_path / "run"], overrides=overrides)
        assert result["status"] == "finished"
        return result["metrics"]

    return run


def small_pictures(folder: Path) -> Path:
    """Three classes of pictures of several sizes, five each to train on and two to test."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 5), ("val", 2)):
        for label in ("ape", "bee", "cow"):
            (folder / split / label).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 256, (30 + 7 * number, 50, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / split / label / f"{number}.png")
    return folder
