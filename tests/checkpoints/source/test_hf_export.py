"""Models of ours as folders of transformers: its classes load them and say the same."""

import pytest
import torch

from tests.checkpoints.source.ours import as_transformers, preprocessing_of
from tests.checkpoints.source.theirs import exact_rotation, said_by
from vitlab.base.errors import CheckpointError
from vitlab.checkpoints import published
from vitlab.checkpoints.format._as_source import AsSource
from vitlab.checkpoints.source import hf
from vitlab.checkpoints.trained import EquippedViT
from vitlab.models.vit import ViT
from vitlab.tasks import classify

pytestmark = pytest.mark.usefixtures("double")
SQUARE = {"img_size": [8, 8]}
DINOV2 = SQUARE | {"layer_scale": 0.5}
WITHOUT_PLACES = {"name": "learned", "registers": False}
DINOV3 = {
    "num_classes": 0,
    "layer_scale": 0.5,
    "num_registers": 2,
    "pos_embed": {"name": "rope2d", "coordinates": "picture", "first": "y", "pairs": "halves", "temperature": 50.0},
}
CLIP = SQUARE | {"norm_pre": True, "patch_embed": {"name": "linear", "bias": False}, "mlp": "quick_gelu"}
SIGLIP = SQUARE | {"cls_token": False, "mlp": {"name": "gelu", "approximate": "tanh"}}
PROJECTED = {"head": {"name": "linear", "bias": False}}
# Beside the model: a pooler, a token for masked pretraining; DINOv3's registers, of which there may be none
NOT_OURS = ("pooler.dense", "mask_token", "register_tokens")
EXPORTED = {  # our settings, and the class that they are
    "ViT": ({}, "ViTForImageClassification"),
    "ViT without a head": ({"num_classes": 0}, "ViTModel"),
    "ViT of other details": (
        {"qkv_bias": False, "mlp": "relu", "norm": {"name": "layer", "eps": 1e-3}, "drop_path": 0.1, "in_chans": 1},
        "ViTForImageClassification",
    ),
    "DeiT": ({"dist_token": True}, "DeiTForImageClassificationWithTeacher"),
    "ViT with a register": ({"num_registers": 1}, "DeiTForImageClassification"),
    "ViT with a register, no head": ({"num_registers": 1, "num_classes": 0}, "DeiTModel"),
    "DINOv2": (DINOV2 | {"num_classes": 0}, "Dinov2Model"),
    "DINOv2, head": (DINOV2 | {"pool": "cls_mean"}, "Dinov2ForImageClassification"),
    "DINOv2, gated": (
        DINOV2 | {"pool": "cls_mean", "mlp": "packed_swiglu", "mlp_ratio": 3.0},
        "Dinov2ForImageClassification",
    ),
    "DINOv2, registers": (
        DINOV2 | {"num_classes": 0, "num_registers": 2, "pos_embed": WITHOUT_PLACES},
        "Dinov2WithRegistersModel",
    ),
    "DINOv2, registers, head": (
        DINOV2 | {"num_registers": 2, "pos_embed": WITHOUT_PLACES, "pool": "cls_mean"},
        "Dinov2WithRegistersForImageClassification",
    ),
    "DINOv3": (DINOV3, "DINOv3ViTModel"),
    "DINOv3, gated, no biases": (
        DINOV3 | {"mlp": "swiglu", "qkv_bias": False, "proj_bias": False, "mlp_bias": False},
        "DINOv3ViTModel",
    ),
    "DINOv3, not square, no registers": (DINOV3 | {"num_registers": 0, "img_size": [12, 20]}, "DINOv3ViTModel"),
    "CLIP": (CLIP | {"num_classes": 0}, "CLIPVisionModel"),
    "CLIP, projection": (CLIP | PROJECTED, "CLIPVisionModelWithProjection"),
    "SigLIP": (SIGLIP | {"num_classes": 0, "pool": "attention"}, "SiglipVisionModel"),
    "SigLIP, head": (SIGLIP | {"pool": "mean"}, "SiglipForImageClassification"),
}
REFUSED = {  # our settings, and what is said
    "linear attention": (
        {"attention": "linear"},
        "ViTForImageClassification comes nearest, but not with attention=linear",
    ),
    "no attention": ({"mixer": "fft"}, "ViTForImageClassification comes nearest, but not with mixer=fft"),
    "another scale": (
        {"attention": {"name": "softmax", "scale": 1.0}},
        r"not with attention=\{'name': 'softmax', 'scale': 1.0\}",
    ),
    "another norm": ({"norm": "rms"}, "not with norm=rms"),
    "another MLP": ({"mlp": "swiglu"}, "not with mlp=swiglu"),
    "another head": ({"head": "mlp"}, "not with head=mlp"),
    "another block": ({"block": "post_norm"}, "not with block=post_norm"),
    "norms of queries and keys": ({"qk_norm": True}, "not with qk_norm=True"),
    "the mean beside cls": ({"pool": "mean"}, "not with pool=mean"),
    "layer scale": ({"layer_scale": 0.1}, "not with layer_scale=0.1"),
    "DINOv3 with a head": (DINOV3 | {"num_classes": 5}, "DINOv3ViTModel comes nearest, but not with num_classes=5"),
    "DINOv2, not square": (
        DINOV2 | {"pool": "cls_mean", "img_size": [8, 12]},
        r"Dinov2ForImageClassification comes nearest, but not with img_size=\[8, 12\]",
    ),
    "DINOv2, between whole ratios": (DINOV2 | {"pool": "cls_mean", "mlp_ratio": 2.5}, "but not with mlp_ratio=2.5"),
}


@pytest.fixture
def exporting(tmp_path, tiny_spec, randomise):
    """A random model of ours, of such settings, and the folder that it was written to."""

    def export(settings):
        model = randomise(ViT(tiny_spec(**settings)))
        return model, as_transformers(model, tmp_path)

    return export


@pytest.mark.peer
@pytest.mark.parametrize(("settings", "architecture"), EXPORTED.values(), ids=EXPORTED)
def test_transformers_loads_it_and_says_the_same(settings, architecture, exporting, normal, monkeypatch):
    transformers = pytest.importorskip("transformers")
    model, folder = exporting(settings)
    kind = getattr(transformers, architecture)
    theirs, loading = kind.from_pretrained(folder, output_loading_info=True, dtype=torch.float64)
    assert all(any(part in name for part in NOT_OURS) for name in loading["missing_keys"])
    assert not {*loading["unexpected_keys"], *loading["mismatched_keys"]}
    if architecture.startswith("DINOv3"):
        exact_rotation(monkeypatch, theirs)
    images = normal(2, model.spec.in_chans, *model.spec.img_size)
    torch.testing.assert_close(said_by(theirs.eval(), images), model(images), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("settings", "architecture"), EXPORTED.values(), ids=EXPORTED)
def test_it_is_read_back_as_the_same_model(settings, architecture, exporting):
    model, folder = exporting(settings)
    found, written = published.read(folder), model.state_dict()
    assert found.source.architecture == architecture
    assert found.preprocessing == preprocessing_of(model.spec)
    assert found.tensors.keys() == written.keys()
    assert all(torch.equal(found.tensors[name], written[name]) for name in written)


@pytest.mark.parametrize(("settings", "said"), REFUSED.values(), ids=REFUSED)
def test_what_no_class_is_is_refused_by_what_differs(settings, said, tiny_spec):
    spec = tiny_spec(**settings)
    with pytest.raises(CheckpointError, match=f"no class of transformers is this model: .*{said}"):
        hf.Spec().texts(spec, preprocessing_of(spec))
    with pytest.raises(CheckpointError, match=said):
        published.write(hf.Spec(), spec, ViT(spec).state_dict())


def test_a_class_writes_no_model_that_it_is_not(tiny_spec):
    """Though its tensors have the same names."""
    spec = tiny_spec(attention="linear")
    with pytest.raises(CheckpointError, match="ViTForImageClassification of transformers is no model with attention"):
        published.write(hf.Spec(architecture="ViTForImageClassification"), spec, ViT(spec).state_dict())


def test_classes_have_their_names(tiny_spec):
    spec = tiny_spec()
    config = hf.Spec().texts(spec, preprocessing_of(spec))["config.json"]
    assert config["id2label"] == {"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"}
    assert config["label2id"] == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}


def test_a_class_with_a_tower_for_texts_has_no_config_of_its_own(tiny_spec):
    spec = tiny_spec(**CLIP, **PROJECTED)
    with pytest.raises(CheckpointError, match="CLIPModel of transformers has parts that are not here"):
        hf.Spec(architecture="CLIPModel").texts(spec, preprocessing_of(spec))


def test_what_was_read_without_a_key_bias_is_so_written(tiny_spec):
    spec = tiny_spec(**DINOV3)
    texts = [hf.Spec(key_bias=biased).texts(spec, preprocessing_of(spec)) for biased in (True, False)]
    assert [told["config.json"]["key_bias"] for told in texts] == [True, False]


def test_exported_as_a_folder_it_is_what_every_command_reads(tmp_path, tiny_spec, randomise):
    spec = tiny_spec()
    model = randomise(EquippedViT(spec, preprocessing_of(spec), classify.Spec()))
    AsSource(hf.Spec()).write(model, tmp_path)
    found = published.read(tmp_path)
    assert (found.spec, found.preprocessing) == (spec, model.preprocessing)
