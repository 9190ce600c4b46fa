import pytest
import torch

from tests.checkpoints.saving import meta_of, save_model
from vitlab.augment.ops import center_crop
from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.trained import load
from vitlab.models.vit import build
from vitlab.preprocessing import Preprocessing
from vitlab.tasks import classify

BEFORE = Preprocessing(
    (8, 12), "pad", (center_crop.Spec(size=(8, 12)),), (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), tuple("abcde")
)


@pytest.fixture
def model(tiny_spec):
    return build(tiny_spec(), seed=4)


def save(folder, model, spec=None):
    return save_model(folder / "checkpoint", model, meta_of(spec or model.spec, BEFORE, step=3))


def test_a_model_comes_back_with_its_task_and_preprocessing(tmp_path, model, normal):
    save(tmp_path, model)
    images = normal(2, 3, 8, 12)
    trained = load(tmp_path)
    assert trained.model.spec == model.spec
    assert torch.equal(trained.model(images), model(images))
    assert trained.preprocessing == BEFORE
    assert trained.task == classify.Spec()
    assert (trained.data, trained.noise_seed) == (None, None)


def test_double_precision_comes_back_in_single(tmp_path, model):
    save(tmp_path, model.double())
    assert {parameter.dtype for parameter in load(tmp_path).model.parameters()} == {torch.float32}


def test_weights_of_another_model_are_refused(tmp_path, model, tiny_spec):
    path = save(tmp_path, model, tiny_spec(depth=3))
    with pytest.raises(CheckpointError, match="does not fit its own settings"):
        load(path)


def test_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        load(tmp_path)
