from dataclasses import replace

import pytest
import torch

import vitlab
from tests.checkpoints.saving import meta_of, save_model
from vitlab.augment.ops import center_crop
from vitlab.base.errors import CheckpointError, SpecError
from vitlab.checkpoints import published
from vitlab.checkpoints.trained import OtherSize, at_size, load
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


def test_where_somebody_elses_weights_came_from_is_kept(tmp_path, model):
    save_model(tmp_path / "checkpoint", model, replace(meta_of(model.spec, BEFORE), origin=("timm weights",)))
    assert load(tmp_path).notes == ("timm weights",)


@pytest.mark.parametrize("changed", [{"pos_embed": "relative"}, {"mixer": "token_mlp"}, {"attention": "linformer"}])
def test_a_model_of_one_number_of_patches_has_no_other_size(tmp_path, tiny_spec, changed):
    save(tmp_path, build(tiny_spec(**changed)))
    with pytest.raises(SpecError, match=r"img_size=\[16, 24\]: the model cannot be of another size, because of \w+"):
        at_size(load(tmp_path), OtherSize((16, 24)))


@pytest.mark.parametrize(
    ("damage", "said"),
    [(lambda each: each / 0, "not finite"), (lambda each: each.to(torch.int8), "not of floating point")],
)
def test_numbers_that_are_no_weights_are_refused(tmp_path, model, damage, said):
    weights = build(replace(model.spec, patch_size=(4, 4), img_size=(8, 8))).state_dict()
    torch.save({name: damage(tensor) for name, tensor in weights.items()}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match=said):
        published.read(tmp_path / "weights.pth", settings={"num_heads": model.spec.num_heads})


def test_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        load(tmp_path)


def test_images_of_another_precision_are_refused_with_the_cure(tmp_path, tiny_spec):
    model = load(save(tmp_path, build(tiny_spec()))).model
    images = torch.zeros(1, model.spec.in_chans, *model.spec.img_size)
    with pytest.raises(SpecError, match=r"images of torch.float64 for a model of torch.float32: images.to\("):
        model(images.double())
    with torch.autocast("cpu", torch.bfloat16):
        assert model(images.half()).shape == (1, model.spec.num_classes)


def test_what_tensors_do_not_tell_is_told_in_python_too(tmp_path, tiny_spec):
    spec = tiny_spec(img_size=[16, 16], patch_size=[4, 4])
    tensors = published.write(published.source_named("timm"), spec, build(spec, seed=1).state_dict())
    torch.save(tensors, tmp_path / "vit.pth")
    told = {"num_heads": spec.num_heads}
    assert vitlab.load(tmp_path / "vit.pth", **told).spec.num_classes == spec.num_classes
    features = vitlab.load(tmp_path / "vit.pth", num_classes=0, img_size=24, **told)
    assert (features.spec.num_classes, features.spec.img_size) == (0, (24, 24))
    assert features(torch.zeros(1, 3, 24, 24)).shape == (1, spec.embed_dim)
    save(tmp_path / "run", build(spec))
    with pytest.raises(CheckpointError, match="tells all of its model"):
        vitlab.load(tmp_path / "run", num_heads=4)


def test_run_on_is_what_was_asked_for(tmp_path, tiny_spec):
    save(tmp_path, build(tiny_spec(pos_embed="rope2d", img_size=[8, 8], patch_size=[4, 4])))
    other = OtherSize((16, 16), positions="run_on")
    assert at_size(load(tmp_path), other).notes == (
        "positions run on from 2 × 2 to 4 × 4 patches, beyond the range of training",
    )
