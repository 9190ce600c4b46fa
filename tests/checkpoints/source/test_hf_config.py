"""What config.json says, in its own terms; what it says of no model of ours."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.checkpoints.source.ours import as_transformers, rewrite
from vitlab.base.errors import CheckpointError, SpecError
from vitlab.checkpoints import published
from vitlab.checkpoints.source import hf
from vitlab.models.vit import ViT

DINOV3 = {
    "num_classes": 0,
    "layer_scale": 0.5,
    "pos_embed": {"name": "rope2d", "coordinates": "picture", "first": "y", "pairs": "halves"},
}
SIGLIP = {"img_size": [8, 8], "cls_token": False, "mlp": {"name": "gelu", "approximate": "tanh"}, "pool": "mean"}
REFUSED = {  # settings of a model, fields of its config.json, what is said of them
    "activation": ({}, {"hidden_act": "mish"}, "hidden_act='mish': possible: gelu, gelu_pytorch_tanh, gelu_new, quick"),
    "kind of value": ({}, {"num_attention_heads": "two"}, "num_attention_heads='two': expected a whole number"),
    "truth": ({}, {"qkv_bias": 1}, "qkv_bias=1: expected true or false"),
    "largeness": ({}, {"layer_norm_eps": 1e30}, "layer_norm_eps=1e.30: too large a number"),
    "size": ({}, {"image_size": [8, 8, 3]}, "image_size=.8, 8, 3.: expected a whole number, or rows and columns"),
    "class": ({}, {"architectures": ["ViTForLunch"]}, "architectures=.'ViTForLunch'.: possible: ViTForImageClassif"),
    "model": ({}, {"architectures": None, "model_type": "swin"}, "model_type='swin': possible: vit, deit, dinov2"),
    "width": ({}, {"hidden_size": 32}, "hidden_size=32: its tensors are 16 wide"),
    "heads": ({}, {"num_attention_heads": 3}, "num_heads=3 does not divide embed_dim=16"),
    "eps": ({}, {"layer_norm_eps": -1.0}, "norm.eps=-1.0: must be positive"),
    "gate": (
        DINOV3 | {"mlp": "swiglu"},
        {"hidden_act": "gelu"},
        "hidden_act='gelu': possible with use_gated_mlp: s",
    ),
    "biases": (
        DINOV3,
        {"value_bias": False},
        "query_bias=True: with key_bias=True and value_bias=False; possible",
    ),
}


@pytest.fixture
def folder(tmp_path, tiny_spec, randomise):
    """`folder(settings, **fields)`: a model of ours as transformers would have it, with other fields in config.json."""

    def make(settings, **fields):
        as_transformers(randomise(ViT(tiny_spec(**settings))), tmp_path)
        rewrite(tmp_path / "config.json", **fields)
        return tmp_path

    return make


@pytest.mark.parametrize(("settings", "fields", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_model_of_ours_is_refused_by_field_and_value(settings, fields, said, folder):
    with pytest.raises(CheckpointError, match=said):
        published.read(folder(settings, **fields))


def test_what_is_left_out_is_as_the_class_has_it(folder):
    """An old CLIP's or SigLIP's file says next to nothing of the tower."""
    where = folder(SIGLIP)
    config = json.loads((where / "config.json").read_text())
    tower = {name: config["vision_config"][name] for name in ("hidden_size", "image_size", "patch_size")}
    rewrite(where / "config.json", vision_config=tower | {"num_attention_heads": 2})
    found = published.read(where)
    assert (found.spec.mlp.name, found.spec.mlp.approximate, found.spec.norm.eps) == ("gelu", "tanh", 1e-6)
    rewrite(where / "config.json", vision_config_dict=tower | {"num_attention_heads": 4, "hidden_act": "relu"})
    found = published.read(where)
    assert (found.spec.mlp.name, found.spec.num_heads) == ("relu", 4)


def test_classes_are_in_the_order_of_their_numbers(folder):
    in_order_of_texts = {str(number): f"class {number}" for number in sorted(range(12), key=str)}
    where = folder({"num_classes": 12}, id2label=in_order_of_texts)
    assert published.read(where).preprocessing.class_names == tuple(f"class {number}" for number in range(12))


def test_classes_of_one_name_have_their_numbers_too(folder):
    """ImageNet has two cranes."""
    where = folder({"num_classes": 3}, id2label={"0": "crane", "1": "ship", "2": "crane"})
    assert published.read(where).preprocessing.class_names == ("crane (0)", "ship", "crane (2)")


@pytest.mark.parametrize("labels", [{"0": "a"}, {"zero": "a", "one": "b", "two": "c"}, ["a", "b", "c"], None])
def test_without_a_name_for_each_classes_are_numbers(labels, folder):
    where = folder({"num_classes": 3}, id2label=labels)
    assert published.read(where).preprocessing.class_names == ("0", "1", "2")


def test_without_config_a_preset_says_what_tensors_do_not(folder, tmp_path):
    folder({"img_size": [8, 8], "embed_dim": 64, "num_heads": 4, "mlp": "quick_gelu"})
    (tmp_path / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"no config\.json beside it tells how many attention heads it has"):
        published.read(tmp_path)
    found = published.read(tmp_path, model="vit_base_patch16_224")
    assert (found.source.architecture, found.spec.num_heads) == ("ViTForImageClassification", 1)
    found = published.read(tmp_path, model="vit_base_patch16_224", settings={"num_heads": 4, "mlp": "quick_gelu"})
    assert (found.spec.num_heads, found.spec.mlp.name) == (4, "quick_gelu")


def test_other_tensors_are_not_taken_for_its(tmp_path, tiny_spec):
    save_file(ViT(tiny_spec()).state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="no embeddings of patches by transformers' names"):
        published.read(tmp_path, source="hf")


SHAPELESS = {
    "vit.encoder.layer.0.output.dense.weight": (torch.zeros(3), "its tensors have not the shapes of a ViT's"),
    "vit.embeddings.position_embeddings": (torch.zeros(7, 16), "pos_embed.weight is 7 × 16 there and 1 × 7 × 16 here"),
    "vit.embeddings.patch_embeddings.projection.weight": (torch.zeros(16, 48), "have not the shapes of a ViT's"),
    "vit.encoder.layer.0.attention.attention.query.weight": (torch.zeros(16, 3), "cannot be made of"),
}


@pytest.mark.parametrize(("name", "tensor", "said"), [(name, *each) for name, each in SHAPELESS.items()])
def test_tensors_of_another_number_of_axes_are_refused(name, tensor, said, folder, tmp_path):
    theirs = load_file(folder({}) / "model.safetensors")
    save_file(theirs | {name: tensor}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=said):
        published.read(tmp_path)


def test_a_name_of_a_tensor_is_no_template(folder, tmp_path):
    theirs = load_file(folder({}) / "model.safetensors")
    save_file({f"{{i}}.{name}": tensor for name, tensor in theirs.items()}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="of no vision transformer that is known"):
        published.read(tmp_path)


def test_a_patch_that_is_no_square_is_refused(folder, tmp_path):
    where = folder(SIGLIP | {"pool": "attention", "num_classes": 0}, architectures=["Siglip2VisionModel"])
    theirs = load_file(where / "model.safetensors")
    theirs["embeddings.patch_embedding.weight"] = torch.zeros(16, 50)
    save_file(theirs, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="a patch of 50 values is no square of pixels in 3 channels, or in 1"):
        published.read(tmp_path)


def test_an_unknown_class_is_a_setting_that_cannot_be():
    with pytest.raises(SpecError, match="ViTFor"):
        hf.Spec(architecture="ViTForLunch")


def test_the_names_of_no_class_are_no_table():
    with pytest.raises(CheckpointError, match="which class of transformers it is"):
        hf.Spec().rows(None)
