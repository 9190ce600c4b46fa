"""DINO's backbones and trainings, against the published definition by hand."""

import pytest
import torch

from tests.checkpoints.source.by_hand import (
    check_comes_back,
    check_says,
    drawn,
    norm,
    read,
    timm_block,
    timm_patches,
    timm_prefix,
    timm_shapes,
)
from vitlab.base.errors import CheckpointError
from vitlab.checkpoints import published

HEAD = {  # of the pretraining, with weight normalisation
    **{f"head.mlp.{at}.{p}": shape for at in (0, 2, 4) for p, shape in (("weight", (8, 128)), ("bias", (8,)))},
    "head.last_layer.weight_g": (16, 1),
    "head.last_layer.weight_v": (16, 8),
}


def says(p, images):
    """`VisionTransformer.forward`: positions on cls and patches, the norm, and the cls token."""
    x = torch.cat([timm_prefix(p, "cls_token", images), timm_patches(p, images)], dim=1) + p["pos_embed"]
    for i in range(2):
        x = timm_block(p, f"blocks.{i}.", x)
    return norm(p, "norm", x)[:, 0]


@pytest.mark.usefixtures("double")
def test_a_backbone_gives_its_features_and_comes_back(normal):
    backbone, images = drawn(timm_shapes()), normal(3, 3, 12, 12)
    found = read(backbone, source="dino")
    assert (found.spec.num_classes, found.spec.num_heads, found.spec.img_size) == (0, 2, (12, 12))
    check_says(found, images, says(backbone, images))
    check_comes_back(found, backbone)


@pytest.mark.usefixtures("double")
def test_a_training_is_recognised_by_its_projection_head_and_its_parts_are_told_apart(tmp_path, normal):
    models = {name: drawn(timm_shapes(), seed) for seed, name in enumerate(("student", "teacher"))}
    heads = {name: drawn(HEAD, seed) for seed, name in enumerate(models)}
    wrapped = {"student": "module.backbone.", "teacher": "backbone."}  # the student stands in DistributedDataParallel
    saved = {
        name: {wrapped[name] + key: each for key, each in models[name].items()}
        | {wrapped[name].replace("backbone.", "") + key: each for key, each in heads[name].items()}
        for name in models
    }
    path = tmp_path / "checkpoint.pth"
    torch.save(saved | {"optimizer": {"state": {}}, "epoch": 3}, path)
    with pytest.raises(CheckpointError, match="several models: student, teacher; say which, as in"):
        published.read(path)
    images = normal(2, 3, 12, 12)
    for name, model in models.items():
        found = published.read(f"{path}#{name}")
        assert found.source.name == "dino"
        check_says(found, images, says(model, images))


def test_a_backbone_alone_is_read_as_timms_which_is_the_same_model():
    backbone = drawn(timm_shapes())
    found = read(backbone)
    assert (found.source.name, found.spec) == ("timm", read(backbone, source="dino").spec)


def test_pictures_are_prepared_as_in_its_evaluations():
    shapes = timm_shapes(patch=16, positions=197)
    ready = read(drawn(shapes), source="dino").preprocessing
    assert (ready.img_size, ready.fit, ready.ops[0].size) == ((256, 256), "crop", (224, 224))
    assert (ready.mean[0], ready.std[2]) == (0.485, 0.225)
