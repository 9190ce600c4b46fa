import statistics
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitlab.base.errors import UserError
from vitlab.base.spec import with_settings
from vitlab.bench.loader import bench_loader
from vitlab.recipes import changed, recipe

TINY = {"model.embed_dim": 16, "model.depth": 1, "model.num_heads": 2}


@pytest.mark.slow
def test_figures_with_and_without_augmentation():
    figures = bench_loader(with_settings(recipe("digits"), {**TINY, "augment": ["crop"]}), 1, "cpu")
    rates = {name: path["images_per_second"] for name, path in figures["paths"].items()}
    assert rates.keys() == {"without_augmentation", "with_augmentation", "training_step"}
    assert figures["share_of_step"] == pytest.approx(rates["training_step"] / rates["with_augmentation"])
    assert figures["per_core"].keys() == {"augment"}  # the digits are decoded already
    assert figures["per_core"]["augment"]["torchvision"] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    for label in ("ape", "bee"):
        (tmp_path / label).mkdir()
        for number in range(5):
            Image.fromarray(pixels).save(tmp_path / label / f"{number}.jpg")
    return tmp_path


@pytest.mark.slow
@pytest.mark.peer
def test_each_part_beside_torchvisions(folder: Path):
    pytest.importorskip("torchvision")
    sizes = {"data.img_size": 16, "model.img_size": 16, "model.patch_size": 8, "batch_size": 4}
    spec = changed(recipe("pictures"), {"data": str(folder), **sizes, **TINY})
    figures = bench_loader(spec, 3, "cpu", "torchvision")["per_core"]
    assert figures.keys() == {"decode", "augment", "decode and augment"}
    assert [peer["setting"] for peer in figures["decode"]["torchvision"]] == ["Pillow", "torchvision.io"]
    for part in figures.values():
        for peer in part["torchvision"]:
            assert peer["ratio"] > 0
            assert statistics.median([peer["images_per_second"], part["images_per_second"]]) > 0


def test_an_unknown_peer_is_refused():
    with pytest.raises(UserError, match=r"--against cupy: legal: torchvision"):
        bench_loader(recipe("digits"), 1, "cpu", "cupy")
