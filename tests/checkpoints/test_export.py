"""Exports: what was written says what the model says, or there is nothing left of it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.checkpoints.conftest import BEFORE
from vitlab.base.errors import CheckpointError, SpecError
from vitlab.checkpoints import published
from vitlab.checkpoints.card import Evidence
from vitlab.checkpoints.export import export, format_named
from vitlab.checkpoints.trained import of_published


@pytest.mark.peer
def test_timm_loads_it_and_says_the_same(trained, tmp_path, normal):
    timm = pytest.importorskip("timm")
    model = trained(num_registers=2, layer_scale=0.1, qk_norm=True, pool="mean", final_norm="after_pool")
    assert export(model, "timm", tmp_path / "t").difference < 1e-4
    theirs, images = timm.create_model(f"local-dir:{tmp_path / 't'}", pretrained=True).eval(), normal(2, 3, 16, 24)
    torch.testing.assert_close(theirs(images), model.model(images), rtol=0, atol=1e-4)
    assert theirs.default_cfg["mean"] == pytest.approx(BEFORE.mean)
    assert theirs.default_cfg["crop_mode"] == "squash"


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["none", "sincos2d", "learned_2d"])
def test_positions_that_others_compute_otherwise_are_a_table_there(kind, trained, tmp_path, normal):
    timm = pytest.importorskip("timm")
    model = trained(pos_embed=kind)
    export(model, "timm", tmp_path / "t")
    theirs, images = timm.create_model(f"local-dir:{tmp_path / 't'}", pretrained=True).eval(), normal(2, 3, 16, 24)
    torch.testing.assert_close(theirs(images), model.model(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "said"),
    [("timm", "timm.create_model("), ("dino", "safetensors.torch.load_file("), ("google_npz", "numpy")],
)
def test_it_says_how_it_is_used(name, said, trained, tmp_path):
    tanh = {"mlp": {"name": "gelu", "approximate": "tanh"}} if name == "google_npz" else {}
    assert said in export(trained(**tanh), name, tmp_path / "s").used


@pytest.mark.parametrize("name", ["timm", "google_npz", "torchvision", "mae"])
def test_what_is_written_is_read_again_the_same(name, trained, tmp_path, normal):
    tanh = {"mlp": {"name": "gelu", "approximate": "tanh"}} if name == "google_npz" else {}
    model = trained(**tanh)
    export(model, name, tmp_path / "s")
    settings = {"num_heads": 1, "img_size": [16, 24]}
    again = of_published(published.read(tmp_path / "s", name, settings=settings)).model
    images = normal(2, 3, 16, 24)
    torch.testing.assert_close(again(images), model.model(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("timm", {"attention": "linear"}, "timm has no attention=linear"),
        ("timm", {"pos_embed": "rope2d"}, "timm has no pos_embed=rope2d"),
        ("timm", {"mlp": "relu"}, "timm has no block=pre_norm with mlp=relu"),
        ("google_npz", {}, "Google has no word for this model: mlp is gelu here and gelu"),
        ("torchvision", {"mlp": "relu"}, "torchvision has no word for this model: mlp is relu here"),
        ("hf", {"attention": "linear"}, "linear"),
        ("timm", {"block": "parallel", "layer_scale": 0.1}, "timm has no block.joint=False with layer_scale=0.1"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_nothing_stays(name, changed, said, trained, tmp_path):
    """Google's GELU is the tanh form: exact GELU is another function."""
    with pytest.raises(CheckpointError, match=said):
        export(trained(**changed), name, tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.mark.peer
def test_a_parallel_block_without_layer_scales_is_timms(trained, tmp_path):
    pytest.importorskip("timm")
    assert export(trained(block="parallel"), "timm", tmp_path / "t").difference < 1e-4


def test_what_gives_features_is_loaded_as_the_class_that_it_is(trained, tmp_path):
    used = export(trained(num_classes=0), "hf", tmp_path / "h").used
    assert used == f'model = transformers.ViTModel.from_pretrained("{tmp_path / "h"}")'


def test_half_precision_halves_the_file(trained, tmp_path):
    full, half = (export(trained(), "timm", tmp_path / str(way), half=way).out for way in (False, True))
    sizes = [(out / "model.safetensors").stat().st_size for out in (full, half)]
    assert sizes[1] < 0.6 * sizes[0]
    assert "in half precision" in (half / "README.md").read_text()


def test_the_card_says_what_it_is_and_where_it_comes_from(trained, tmp_path):
    evidence = Evidence(("trained by `vitlab train mine`",), ("test top-1 71.00 %",))
    export(trained(), "torch_export", tmp_path / "e", evidence=evidence)
    card = (tmp_path / "e/README.md").read_text()
    for part in ("2 blocks of width 64", "[batch, 3, 16, 24]", "0.1, 0.2, 0.3", "ape, bee, cow and 2 more"):
        assert part in card
    assert "- trained by `vitlab train mine`\n- test top-1 71.00 %" in card
    assert "logits differ by at most" in card


def test_a_folder_with_something_in_it_is_refused(trained, tmp_path):
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(CheckpointError, match="is not empty"):
        export(trained(), "timm", tmp_path)
    assert (tmp_path / "kept.txt").read_text() == "kept"


def test_an_unknown_format_names_the_nearest():
    with pytest.raises(SpecError, match="unknown format 'onx'; did you mean onnx"):
        format_named("onx")


def test_a_table_of_names_is_no_format():
    with pytest.raises(SpecError, match="unknown format 'key_map'"):
        format_named("key_map")


def test_npz_is_numpys(trained, tmp_path):
    export(trained(mlp={"name": "gelu", "approximate": "tanh"}), "google_npz", tmp_path / "g")
    with np.load(Path(tmp_path / "g/model.npz")) as arrays:
        assert arrays["Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel"].shape == (64, 1, 64)
