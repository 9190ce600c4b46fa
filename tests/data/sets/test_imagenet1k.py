import pytest
from PIL import Image

from vitlab.base.errors import DataError
from vitlab.data.sets.imagenet1k import Spec
from vitlab.recipes import recipe


def test_its_sizes_are_known_without_a_look():
    assert (Spec().num_train, Spec().num_classes, Spec().path) == (1_281_167, 1000, "imagenet")
    assert recipe("vit_imagenet").planned_steps() == 92_898  # 300 · 1,281,167 · 0.99 / 4096


def test_a_folder_of_other_classes_is_refused(tmp_path, cache_folder):
    for label in ("train/ape", "train/bee", "val/ape", "val/bee"):
        (tmp_path / label).mkdir(parents=True)
        Image.new("RGB", (8, 8), (len(label), 0, label.endswith("bee"))).save(tmp_path / label / "1.png")
    with pytest.raises(DataError, match=r"data\.num_classes=1000, and there are 2 classes: ape, bee"):
        Spec(path=str(tmp_path)).load()
