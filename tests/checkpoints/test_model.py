import pytest
import torch

from vitlab.augment.ops import center_crop
from vitlab.base.errors import CheckpointError
from vitlab.base.spec import to_dict
from vitlab.checkpoints import native
from vitlab.checkpoints.model import Preprocessing, load
from vitlab.models.vit import build

BEFORE = {
    "img_size": [8, 12],
    "fit": "pad",
    "ops": [{"name": "center_crop", "size": [8, 12]}],
    "mean": [0.1, 0.2, 0.3],
    "std": [1.0, 2.0, 3.0],
    "class_names": list("abcde"),
}


@pytest.fixture
def model(tiny_spec):
    return build(tiny_spec(), seed=4)


def save(folder, model, spec=None):
    meta = {"model": to_dict(spec or model.spec), "preprocessing": BEFORE}
    return native.save(folder / "checkpoint", "step", 3, model.state_dict(), {}, meta)


def test_a_model_comes_back_with_its_preprocessing(tmp_path, model, normal):
    save(tmp_path, model)
    images = normal(2, 3, 8, 12)
    loaded, before = load(tmp_path)
    assert loaded.spec == model.spec
    assert torch.equal(loaded(images), model(images))
    assert before == Preprocessing(
        (8, 12), "pad", (center_crop.Spec(size=(8, 12)),), (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), tuple("abcde")
    )


def test_double_precision_comes_back_in_single(tmp_path, model):
    save(tmp_path, model.double())
    assert {parameter.dtype for parameter in load(tmp_path)[0].parameters()} == {torch.float32}


def test_weights_of_another_model_are_refused(tmp_path, model, tiny_spec):
    path = save(tmp_path, model, tiny_spec(depth=3))
    with pytest.raises(CheckpointError, match="does not fit its own spec"):
        load(path)


def test_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        load(tmp_path)
