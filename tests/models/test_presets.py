"""Names, aliases and numbers of classes; timm's models as a peer. Parameter counts: test_counts.py."""

import re
import subprocess
import sys

import pytest
import torch

from tests.conftest import mostly_slow
from vitlab.base.errors import SpecError
from vitlab.base.spec import with_settings
from vitlab.models.presets import aliases, resolve, settings
from vitlab.models.spec import preset
from vitlab.models.vit import ViT, build


@pytest.mark.peer
@pytest.mark.parametrize(
    "name", mostly_slow(["vit_small_r26_s32_224", "vit_base_r50_s16_384", "vit_large_r50_s32_224"])
)
def test_hybrids_are_timms_models(name):
    """The others: tests/checkpoints/source/test_timm.py."""
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        theirs, ours = timm.create_model(name, num_classes=1000), ViT(preset(name))
    shapes = {key: value.shape for key, value in theirs.state_dict().items()}
    shapes["pos_embed.weight"] = shapes.pop("pos_embed")
    assert {key: value.shape for key, value in ours.state_dict().items()} == shapes
    assert theirs.blocks[0].attn.num_heads == ours.spec.num_heads


@pytest.mark.peer
@pytest.mark.usefixtures("double")
def test_a_distilled_deit_says_what_timms_says(normal, randomise):
    """In evaluation: the mean of what the two heads say."""
    deit = pytest.importorskip("timm.models.deit")
    size = {"img_size": 32, "embed_dim": 24, "depth": 2, "num_heads": 3, "num_classes": 5}
    theirs = randomise(deit.VisionTransformerDistilled(patch_size=16, **size)).eval()
    ours = ViT(with_settings(preset("deit_tiny_distilled_patch16_224"), size))
    ours.load_state_dict(theirs.state_dict())
    images = normal(3, 3, 32, 32)
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vit_base_patch16_224", "vit_base_patch16_224"),
        ("ViT-B_16", "vit_base_patch16_224"),
        ("B/16", "vit_base_patch16_224"),
        ("B/16@384", "vit_base_patch16_384"),
        ("ViT-H_14", "vit_huge_patch14_224"),
        ("Ti/16", "vit_tiny_patch16_224"),
        ("g/14", "vit_giant_patch14_224"),
        ("R50+ViT-B_16", "vit_base_r50_s16_224"),
        ("R50+B/16", "vit_base_r50_s16_224"),
        ("R26+ViT-S_32", "vit_small_r26_s32_224"),
        ("R50+L/32@384", "vit_large_r50_s32_384"),
        ("r0_vit", "r0_vit"),
    ],
)
def test_a_name_or_alias_is_its_preset(name, expected):
    assert resolve(name) == expected
    assert preset(name) == preset(expected)


def test_a_number_of_classes_may_follow():
    assert preset("r0_vit:100") == with_settings(preset("r0_vit"), {"num_classes": 100})
    assert preset("B/16@384:10") == with_settings(preset("vit_base_patch16_384"), {"num_classes": 10})
    assert settings("r0_vit")["num_classes"] == 10  # the preset itself is as it was


@pytest.mark.parametrize("classes", ["x", "0", "-3", "", "1.5", "²", "10:10"])
def test_what_is_no_number_of_classes_is_refused(classes):
    with pytest.raises(SpecError, match=re.escape(f"{classes!r} is not a number of classes; legal: r0_vit or")):
        preset(f"r0_vit:{classes}")


def test_every_alias_resolves_to_what_it_says():
    assert {alias: resolve(alias) for alias in aliases()} == aliases()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("vit_bse_patch16_224", "vit_base_patch16_224"),
        ("B/17", "B/16"),
        ("B/17:10", "B/16"),
        ("r0_vitt", "r0_vit"),
        ("R50+B/32", "R50+B/16"),
        ("r3_vitlx", "r3_vitl"),
    ],
)
def test_an_unknown_name_is_answered_with_a_near_one(name, near):
    asked = re.escape(name.partition(":")[0])
    with pytest.raises(SpecError, match=rf"unknown model '{asked}'; did you mean .*{re.escape(near)}"):
        preset(name)


def test_tomvits_mean_of_tokens_is_the_mean_of_per_token_logits_that_r0_defines(double, normal):
    """With a linear head and no norm behind the pooling they are one function; the preset takes the cheaper form."""
    spec = preset("r0_tomvit")
    assert (spec.pool.name, spec.head.name, spec.final_norm) == ("mean", "linear", "none")
    ours, defined = build(spec), build(with_settings(spec, {"pool": "mean_logits"}))
    images = normal(2, 3, 32, 32)
    torch.testing.assert_close(ours(images), defined(images), rtol=0, atol=1e-12)


def test_a_preset_of_the_reference_says_what_r0_says():
    spec = preset("r0_vit")
    assert (spec.img_size, spec.patch_size, spec.embed_dim, spec.depth) == ((32, 32), (4, 4), 192, 9)
    assert (spec.num_heads, spec.mlp_ratio, spec.qkv_bias) == (12, 2.0, False)
    assert (spec.norm.eps, spec.init.name, spec.drop_path) == (1e-5, "torch_default", 0.0)


def test_listing_presets_imports_no_torch():
    script = "import sys, vitlab.models.presets as p; p.settings('B/16:10'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.peer
@pytest.mark.usefixtures("double")
def test_a_norm_before_the_blocks_is_where_timms_clip_has_it(normal, randomise):
    timm = pytest.importorskip("timm")
    theirs = randomise(
        timm.create_model("vit_base_patch16_clip_quickgelu_224", img_size=32, depth=2, num_classes=5)
    ).eval()
    clip = {"norm_pre": True, "patch_embed": {"name": "linear", "bias": False}, "mlp": "quick_gelu"}
    size = {"img_size": 32, "depth": 2, "num_classes": 5, "norm": {"name": "layer", "eps": 1e-5}}
    ours = ViT(with_settings(preset("vit_base_patch16_224"), clip | size))
    ours.load_state_dict(theirs.state_dict())
    images = normal(2, 3, 32, 32)
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-10)
