from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.paths import local_folder
from vitlab.data.sets.cifar10 import Spec

NAMES = [f"class {i}" for i in range(10)]
TRAIN, TEST = "cifar10/train-00000-of-00001.parquet", "cifar10/test-00000-of-00001.parquet"


def test_a_small_copy_in_the_layout_of_the_hub(
    tmp_path: Path, cache_folder: Path, write_shard: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path))
    pictures = write_shard(tmp_path / TRAIN, 10, NAMES, label="label")
    write_shard(tmp_path / TEST, 3, NAMES, label="label")
    cifar = Spec().load()
    assert np.array_equal(cifar.train.pixels.numpy(), pictures.transpose(0, 3, 1, 2))
    assert cifar.test.labels.tolist() == [0, 1, 2]
    assert (cifar.class_names, cifar.mean, cifar.std) == (tuple(NAMES), Spec().mean, Spec().std)

    write_shard(tmp_path / TRAIN, 10 - 1, NAMES, label="label")
    with pytest.raises(DataError, match="'class 9'"):
        Spec().load()


@pytest.mark.data
@pytest.mark.skipif(
    local_folder("cifar10") is None, reason="cifar10 is absent; set VITLAB_DATA to the folder it lies in"
)
def test_the_real_one():
    cifar = Spec().load()
    assert cifar.train.pixels.shape == (Spec.num_train, Spec.in_chans, *Spec.img_size)
    assert cifar.train.labels.bincount().tolist() == [5000] * Spec.num_classes
    assert cifar.test.labels.bincount().tolist() == [1000] * Spec.num_classes
    assert (cifar.class_names[0], cifar.class_names[-1]) == ("airplane", "truck")
    pixels = cifar.train.pixels.float() / 255
    assert torch.allclose(pixels.mean((0, 2, 3)), torch.tensor(Spec().mean), atol=2e-4)
    assert torch.allclose(pixels.std((0, 2, 3)), torch.tensor(Spec().std), atol=2e-4)
