from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.paths import local_folder
from vitlab.data.sets.cifar100 import Spec

NAMES = [f"class {i}" for i in range(100)]
TRAIN, TEST = "cifar100/train-00000-of-00001.parquet", "cifar100/test-00000-of-00001.parquet"


@pytest.mark.slow
def test_a_small_copy_in_the_layout_of_the_hub(
    tmp_path: Path, cache_folder: Path, write_shard: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path))
    pictures = write_shard(tmp_path / TRAIN, 100, NAMES, label="fine_label")
    write_shard(tmp_path / TEST, 3, NAMES, label="fine_label")
    cifar = Spec().load()
    assert np.array_equal(cifar.train.pixels.numpy(), pictures.transpose(0, 3, 1, 2))
    assert cifar.test.labels.tolist() == [0, 1, 2]
    assert (cifar.class_names, cifar.mean, cifar.std) == (tuple(NAMES), Spec().mean, Spec().std)

    write_shard(tmp_path / TRAIN, 100 - 1, NAMES, label="fine_label")
    with pytest.raises(DataError, match="'class 99'"):
        Spec().load()


@pytest.mark.data
@pytest.mark.skipif(
    local_folder("cifar100") is None, reason="cifar100 is absent; set VITLAB_DATA to the folder it lies in"
)
def test_the_real_one():
    cifar = Spec().load()
    assert cifar.train.pixels.shape == (Spec.num_train, Spec.in_chans, *Spec.img_size)
    assert cifar.train.labels.bincount().tolist() == [500] * Spec.num_classes
    assert cifar.test.labels.bincount().tolist() == [100] * Spec.num_classes
    assert (cifar.class_names[0], cifar.class_names[-1]) == ("apple", "worm")
    pixels = cifar.train.pixels.float() / 255
    assert torch.allclose(pixels.mean((0, 2, 3)), torch.tensor(Spec().mean), atol=2e-4)
    assert torch.allclose(pixels.std((0, 2, 3)), torch.tensor(Spec().std), atol=2e-4)
