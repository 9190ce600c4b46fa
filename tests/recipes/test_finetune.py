"""Fine-tuning: whose model, how pictures are prepared, how long, and what stays as it is."""

import pytest
import torch
from safetensors.torch import save_file

from tests.checkpoints.saving import meta_of, save_model
from tests.recipes.conftest import small_pictures
from vitlab import api
from vitlab.augment.ops import original_crop, resize
from vitlab.base.errors import SpecError
from vitlab.checkpoints.trained import load
from vitlab.models.vit import build
from vitlab.preprocessing import Preprocessing
from vitlab.recipes import Given, recipe
from vitlab.recipes.finetune import passes
from vitlab.train.start import checkpoint, scratch

BEFORE = Preprocessing(
    *((16, 16), "squash", (), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), tuple("abcde")), interpolation="bilinear"
)
ALONE = {"device": "cpu", "precision": "fp32", "kernel": "explicit", "threads": 1}


@pytest.fixture
def source(tiny_spec, tmp_path):
    """A checkpoint of another set of five classes."""
    model = build(tiny_spec(img_size=16), seed=3)
    return str(save_model(tmp_path / "source" / "checkpoint", model, meta_of(model.spec, BEFORE)))


@pytest.fixture
def pictures(tmp_path):
    return str(small_pictures(tmp_path / "pictures"))


def test_without_a_source_it_is_shown_for_a_plain_vit():
    spec = recipe("finetune")
    assert isinstance(spec.start, scratch.Spec)
    assert (spec.model.embed_dim, spec.data.img_size) == (768, (224, 224))


def test_the_model_is_the_sources_and_pictures_are_prepared_as_there(source, pictures, tiny_spec):
    spec = recipe("finetune", Given(source, {"data": pictures}))
    assert (spec.model.embed_dim, spec.model.depth) == (16, tiny_spec().depth)
    assert spec.model.num_classes == 3
    assert (spec.data.img_size, spec.data.fit, spec.data.interpolation) == ((16, 16), "squash", "bilinear")
    assert (spec.data.mean, spec.data.std) == (BEFORE.mean, BEFORE.std)
    assert spec.start == checkpoint.Spec(path=source, head="zero")


def test_larger_pictures_take_a_larger_model(source, pictures):
    spec = recipe("finetune", Given(source, {"data": pictures, "data.img_size": 24}))
    assert spec.model.img_size == spec.data.img_size == (24, 24)


def test_a_set_of_one_size_is_resized_and_keeps_the_sources_statistics(source):
    spec = recipe("finetune", Given(source, {"data": "cifar10"}))
    assert (spec.data.img_size, spec.data.mean) == ((32, 32), BEFORE.mean)
    assert spec.preprocess == (resize.Spec(size=(16, 16), interpolation="bilinear"),)
    assert spec.augment[0] == original_crop.Spec(size=(16, 16), scale=(0.25, 1.0))


def test_pictures_of_other_channels_than_the_sources_are_refused(source):
    with pytest.raises(SpecError, match=r"data=digits has images of 1 channel, and the model of .* takes 3"):
        recipe("finetune", Given(source, {"data": "digits"}))


@pytest.mark.parametrize(("pictures", "expected"), [(15, 30), (1_000, 30), (1_001, 15), (50_000, 8), (10**6, 4)])
def test_the_more_pictures_the_fewer_passes(pictures, expected):
    assert passes(pictures) == expected


def test_it_trains_and_what_is_frozen_stays(source, pictures, tmp_path):
    frozen = ["patch_embed.*", "blocks.0.*", "pos_embed.*"]
    (result,) = api.train(
        "finetune", tmp_path / "run", init=source, overrides=ALONE,
        settings={"data": pictures, "epochs": 2, "batch_size": 5, "val_fraction": 0.0, "optim.frozen": frozen},
    )  # fmt: skip
    assert result["status"] == "finished"
    before, after = load(source).model.state_dict(), load(tmp_path / "run").model.state_dict()
    stays = [name for name in before if name.startswith(("patch_embed.", "blocks.0.", "pos_embed."))]
    assert all(torch.equal(before[name], after[name]) for name in stays)
    moves = [name for name in before if name not in stays and not name.startswith("head.")]
    assert all(not torch.equal(before[name], after[name]) for name in moves if before[name].dim() > 1)
    assert after["head.weight"].shape == (3, 16)


def test_a_resumed_run_needs_its_source_no_more(source, pictures, tmp_path):
    settings = {"data": pictures, "epochs": 2, "batch_size": 5, "val_fraction": 0.0}
    first = api.train("finetune", tmp_path / "run", init=source, overrides=ALONE, settings=settings)
    (tmp_path / "source").rename(tmp_path / "gone")
    again = api.train("finetune", tmp_path / "run", init=source, overrides=ALONE, settings=settings, resume=True)
    assert again == first


def test_anybodys_file_will_do(tiny_spec, pictures, tmp_path):
    """Under timm's names, with a wrapper's prefix, for another number of classes, at another size of images."""
    weights = build(tiny_spec(img_size=16, embed_dim=64, num_heads=1), seed=5).state_dict()
    theirs = {f"module.{name}": tensor for name, tensor in weights.items() if name != "pos_embed.weight"}
    save_file(theirs | {"module.pos_embed": weights["pos_embed.weight"]}, tmp_path / "theirs.safetensors")
    (result,) = api.train(
        "finetune", tmp_path / "run", init=tmp_path / "theirs.safetensors", overrides=ALONE,
        settings={"data": pictures, "data.img_size": 24, "steps": 1, "batch_size": 5, "val_fraction": 0.0},
    )  # fmt: skip
    assert result["status"] == "finished"
    assert load(tmp_path / "run").model.spec.img_size == (24, 24)
