"""transformers' classes as models of ours, and back: each tiny, random, in double precision, saved by itself."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.checkpoints.source.ours import rewrite
from tests.checkpoints.source.theirs import DINOV2, PATCHES, SIZES, exact_rotation, model_of, said_by, saved, with_text
from vitlab.base.errors import CheckpointError
from vitlab.base.spec import with_settings
from vitlab.checkpoints import published
from vitlab.models.resizing import resized
from vitlab.models.vit import ViT
from vitlab.nn.resizing import Resizing

pytestmark = [pytest.mark.peer, pytest.mark.usefixtures("double")]
pytest.importorskip("transformers")

TEXT = {"logit_scale", "text_projection.weight"}
SIGLIP_TEXT = {"logit_scale", "logit_bias"}
POOLER = {"pooler.dense.weight", "pooler.dense.bias"}
MASK = {"embeddings.mask_token"}
POST_NORM = {f"vision_model.post_layernorm.{name}" for name in ("weight", "bias")}
CASES = {  # class, its configuration, the tensors that are left out besides those of a text tower
    "ViT without a head": ("ViTModel", SIZES, POOLER),
    "ViT": ("ViTForImageClassification", SIZES | {"num_labels": 3}, set()),
    "ViT, not square": ("ViTForImageClassification", SIZES | {"image_size": [8, 12], "patch_size": [4, 3]}, set()),
    "ViT, one channel, no biases of q, k, v": (
        "ViTForImageClassification",
        SIZES | {"num_channels": 1, "qkv_bias": False},
        set(),
    ),
    "ViT, approximate GELU": (
        "ViTForImageClassification",
        SIZES | {"hidden_act": "gelu_new", "layer_norm_eps": 1e-3},
        set(),
    ),
    "ViT, ReLU": ("ViTForImageClassification", SIZES | {"hidden_act": "relu"}, set()),
    "DeiT without a head": ("DeiTModel", SIZES, POOLER),
    "DeiT": ("DeiTForImageClassification", SIZES, set()),
    "DeiT, teacher's head": ("DeiTForImageClassificationWithTeacher", SIZES | {"image_size": [8, 12]}, set()),
    "DINOv2": ("Dinov2Model", DINOV2, MASK),
    "DINOv2, head": ("Dinov2ForImageClassification", DINOV2 | {"use_mask_token": False}, set()),
    "DINOv2, gated": (
        "Dinov2ForImageClassification",
        DINOV2 | {"use_swiglu_ffn": True},
        {"dinov2.embeddings.mask_token"},
    ),
    "DINOv2, registers": ("Dinov2WithRegistersModel", DINOV2, MASK),
    "DINOv2, registers, head": (
        *("Dinov2WithRegistersForImageClassification", DINOV2 | {"num_register_tokens": 2, "use_swiglu_ffn": True}),
        {"dinov2_with_registers.embeddings.mask_token"},
    ),
    "DINOv3": ("DINOv3ViTModel", SIZES | {"num_register_tokens": 3, "rope_theta": 50.0}, MASK),
    "DINOv3, not square, no registers": (
        "DINOv3ViTModel",
        SIZES | {"image_size": [12, 20]},
        MASK | {"embeddings.register_tokens"},
    ),
    "DINOv3, gated, key bias": (
        *(
            "DINOv3ViTModel",
            SIZES | {"num_register_tokens": 1, "use_gated_mlp": True, "hidden_act": "silu", "key_bias": True},
        ),
        MASK,
    ),
    "DINOv3, no biases": (
        "DINOv3ViTModel",
        SIZES | dict.fromkeys([f"{name}_bias" for name in ("query", "value", "proj", "mlp")], False),
        MASK | {"embeddings.register_tokens"},
    ),
    "CLIP's tower": ("CLIPVisionModel", SIZES, set()),
    "CLIP's tower, GELU": ("CLIPVisionModel", SIZES | {"hidden_act": "gelu"}, set()),
    "CLIP's tower, projection": ("CLIPVisionModelWithProjection", SIZES | {"projection_dim": 6}, set()),
    "CLIP": ("CLIPModel", with_text(SIZES, projection_dim=6), TEXT),
    "CLIP, head": ("CLIPForImageClassification", with_text(SIZES), POST_NORM),
    "SigLIP's tower": ("SiglipVisionModel", SIZES, set()),
    "SigLIP": ("SiglipModel", with_text(SIZES), SIGLIP_TEXT),
    "SigLIP, head": ("SiglipForImageClassification", with_text(SIZES), None),
    "SigLIP 2's tower": ("Siglip2VisionModel", PATCHES, set()),
    "SigLIP 2": ("Siglip2Model", with_text(PATCHES), SIGLIP_TEXT),
    "SigLIP 2, head": ("Siglip2ForImageClassification", with_text(PATCHES), None),
}


def ours_of(found: published.Published) -> ViT:
    model = ViT(found.spec)
    model.load_state_dict(found.tensors)
    return model


def images_of(found: published.Published, normal) -> Tensor:
    return normal(2, found.spec.in_chans, *found.spec.img_size)


def unread(tensors: dict[str, Tensor], named: set[str] | None) -> set[str]:
    """The names of what is left out: what is listed, and texts' tower; SigLIP's pooling where a mean is classified."""
    pooling = set() if named is not None else {name for name in tensors if name.startswith("vision_model.head.")}
    return (named or set()) | pooling | {name for name in tensors if name.startswith("text_model.")}


@pytest.mark.parametrize(("architecture", "config", "left_out"), CASES.values(), ids=CASES)
def test_it_says_the_same_and_the_way_back_gives_the_same_tensors(
    architecture, config, left_out, tmp_path, randomise, normal, monkeypatch
):
    model = model_of(architecture, config, randomise)
    if architecture.startswith("DINOv3"):
        exact_rotation(monkeypatch, model)
    found = published.read(saved(model, tmp_path))
    assert found.source.architecture == architecture
    images = images_of(found, normal)
    torch.testing.assert_close(ours_of(found)(images), said_by(model, images), rtol=0, atol=1e-10)
    theirs = load_file(tmp_path / "model.safetensors")
    back = published.write(found.source, found.spec, found.tensors)
    assert back.keys() == theirs.keys() - unread(theirs, left_out)
    assert all(torch.equal(back[name], theirs[name]) for name in back)


@pytest.mark.parametrize(("architecture", "config", "left_out"), CASES.values(), ids=CASES)
def test_without_its_architecture_the_class_is_told_by_names(architecture, config, left_out, tmp_path, randomise):
    named = published.read(saved(model_of(architecture, config, randomise), tmp_path))
    rewrite(tmp_path / "config.json", architectures=None)
    found = published.read(tmp_path)
    assert (found.source, found.spec) == (named.source, named.spec)


def test_of_a_backbone_all_tokens_are_the_same(tmp_path, randomise, normal):
    model = model_of("Dinov2WithRegistersModel", DINOV2, randomise)
    found = published.read(saved(model, tmp_path))
    images = images_of(found, normal)
    with torch.no_grad():
        theirs = model(images).last_hidden_state
    torch.testing.assert_close(ours_of(found).forward_features(images), theirs, rtol=0, atol=1e-10)


RESIZED = {  # class, configuration, how transformers is asked, antialiasing, and how exact it computes its table
    "ViT": ("ViTForImageClassification", SIZES, {"interpolate_pos_encoding": True}, False, 1e-10),
    "DeiT": ("DeiTForImageClassification", SIZES, {"interpolate_pos_encoding": True}, False, 1e-10),
    "DINOv2": ("Dinov2ForImageClassification", DINOV2, {}, False, 1e-5),
    "DINOv2, registers": ("Dinov2WithRegistersForImageClassification", DINOV2, {}, True, 1e-5),
    "CLIP's tower": ("CLIPVisionModelWithProjection", SIZES, {"interpolate_pos_encoding": True}, False, 1e-10),
}


@pytest.mark.parametrize(("architecture", "config", "asked", "antialias", "most"), RESIZED.values(), ids=RESIZED)
def test_at_another_size_positions_are_resized_as_transformers_does(
    architecture, config, asked, antialias, most, tmp_path, randomise, normal
):
    model = model_of(architecture, config | {"image_size": 12}, randomise)
    found = published.read(saved(model, tmp_path))
    larger = with_settings(found.spec, {"img_size": [16, 20]})
    ours = ViT(larger)
    ours.load_state_dict(resized(found.tensors, found.spec, larger, Resizing(antialias=antialias)))
    images = normal(2, 3, 16, 20)
    torch.testing.assert_close(ours(images), said_by(model, images, **asked), rtol=0, atol=most)


@pytest.mark.parametrize("rows", [8, 12])
def test_a_dinov3_takes_pictures_of_another_size(rows, tmp_path, randomise, normal, monkeypatch):
    model = model_of("DINOv3ViTModel", SIZES | {"num_register_tokens": 1}, randomise)
    exact_rotation(monkeypatch, model)
    found = published.read(saved(model, tmp_path), settings={"img_size": [rows, 20]})
    images = normal(2, 3, rows, 20)
    torch.testing.assert_close(ours_of(found)(images), said_by(model, images), rtol=0, atol=1e-10)


def test_a_dinov3_as_it_is_differs_by_its_angles_of_single_precision(tmp_path, randomise, normal):
    model = model_of("DINOv3ViTModel", SIZES | {"image_size": [12, 20]}, randomise)
    found = published.read(saved(model, tmp_path))
    images = images_of(found, normal)
    torch.testing.assert_close(ours_of(found)(images), said_by(model, images), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("architecture", "config"), [("SiglipVisionModel", SIZES), ("SiglipModel", with_text(SIZES))])
def test_a_siglip_without_its_pooling_gives_the_mean_of_the_same_tokens(
    architecture, config, tmp_path, randomise, normal
):
    tower = config.get("vision_config", config) | {"vision_use_head": False}
    whole = config | {"vision_config": tower} if "vision_config" in config else tower
    model = model_of(architecture, whole, randomise)
    found = published.read(saved(model, tmp_path))
    images = images_of(found, normal)
    with torch.no_grad():
        theirs = getattr(model, "vision_model", model)(images).last_hidden_state
    torch.testing.assert_close(ours_of(found)(images), theirs.mean(dim=1), rtol=0, atol=1e-10)


IN_MEMORY = ("ViT", "DeiT", "DINOv2", "DINOv2, gated", "DINOv3, gated, key bias", "DINOv3", "SigLIP's tower")


@pytest.mark.parametrize("case", IN_MEMORY)
def test_the_names_that_tensors_have_in_memory_are_read_too(case, tmp_path, randomise):
    architecture, config, _ = CASES[case]
    model = model_of(architecture, config, randomise)
    as_saved = published.read(saved(model, tmp_path))
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    found = published.read(tmp_path / "pytorch_model.bin")  # and config.json is found beside it
    assert found.spec == as_saved.spec
    assert found.tensors.keys() == as_saved.tensors.keys()
    assert all(torch.equal(found.tensors[name], as_saved.tensors[name]) for name in found.tensors)


def test_a_tower_whose_names_have_a_prefix_is_written_with_it(tmp_path, randomise):
    """As transformers 4 wrote CLIP's, and the hub has them."""
    saved(model_of("CLIPVisionModel", SIZES, randomise), tmp_path)
    theirs = {f"vision_model.{name}": each for name, each in load_file(tmp_path / "model.safetensors").items()}
    theirs["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    save_file(theirs, tmp_path / "model.safetensors")
    found = published.read(tmp_path)
    back = published.write(found.source, found.spec, found.tensors)
    assert back.keys() == theirs.keys() - {"vision_model.embeddings.position_ids"}


def test_what_is_left_out_is_told(tmp_path, randomise):
    found = published.read(saved(model_of("ViTModel", SIZES, randomise), tmp_path))
    assert "left out: pooler.dense.bias, pooler.dense.weight" in found.notes


def test_a_key_bias_that_was_learned_has_no_place_where_there_was_none(tmp_path, randomise):
    found = published.read(saved(model_of("DINOv3ViTModel", SIZES, randomise), tmp_path))
    learned = {name: each + 1 if name.endswith("qkv.bias") else each for name, each in found.tensors.items()}
    with pytest.raises(CheckpointError, match=r"qkv\.bias: a part of it is not zero"):
        published.write(found.source, found.spec, learned)


def test_a_class_that_is_no_model_of_ours_is_refused_by_name(tmp_path, randomise):
    saved(model_of("ViTForMaskedImageModeling", SIZES | {"encoder_stride": 4}, randomise), tmp_path)
    with pytest.raises(CheckpointError, match=r"architectures=\['ViTForMaskedImageModeling'\]: possible: ViTFor"):
        published.read(tmp_path)
