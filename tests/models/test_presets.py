"""Parameter counts from the papers, from the reference studies (R0, R2, R4) and from timm."""

import subprocess
import sys

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.base.spec import with_settings
from vitlab.models.presets import PRESETS, aliases, resolve
from vitlab.models.vit import ViT, preset


def count(name, **changed):
    with torch.device("meta"):
        model = ViT(with_settings(preset(name), changed))
    return sum(parameter.numel() for parameter in model.parameters())


R0 = {  # 10 classes
    "r0_vit": 2_692_426,
    "r0_tomvit": 2_679_370,
    "r0_ttt": 2_692_426,
    "r0_ttf": 2_679_946,
    "r0_tft": 2_692_042,
    "r0_tff": 2_679_562,
    "r0_ftt": 2_692_042,
    "r0_ftf": 2_679_754,
    "r0_fft": 2_691_658,
    "r0_fff": 2_679_370,
}


@pytest.mark.parametrize(("name", "expected"), R0.items())
def test_r0_systems_have_the_published_number_of_parameters(name, expected):
    assert count(name) == expected


@pytest.mark.parametrize(("name", "expected"), [("r0_vit", 2_709_796), ("r0_tomvit", 2_696_740)])
def test_r0_systems_on_cifar100(name, expected):
    assert count(name, num_classes=100) == expected


R2 = [  # preset, image, with 10 classes, with 100 classes
    ("B/16", 224, 85_806_346, 85_875_556),
    ("B/32", 224, 87_462_922, 87_532_132),
    ("B/16", 384, 86_098_186, 86_167_396),
    ("B/32", 384, 87_535_882, 87_605_092),
    ("L/16", 224, 303_311_882, 303_404_132),
    ("L/32", 224, 305_520_650, 305_612_900),
    ("L/16", 384, 303_701_002, 303_793_252),
    ("L/32", 384, 305_617_930, 305_710_180),
    ("H/14", 224, 630_777_610, 630_892_900),
]


@pytest.mark.parametrize(("name", "pixels", "ten", "hundred"), R2)
def test_r2_models_have_the_published_number_of_parameters(name, pixels, ten, hundred):
    assert count(name, img_size=pixels, num_classes=10) == ten
    assert count(name, img_size=pixels, num_classes=100) == hundred


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("B/16", {}, 86_567_656),
        ("B/16", {"qkv_bias": False}, 86_540_008),
        ("L/32", {}, 306_535_400),
        ("H/14", {}, 632_045_800),
        # R0's ImageNet variant of fff
        (
            "B/16",
            {
                "qkv_bias": False,
                "cls_token": False,
                "pool": "mean",
                "final_norm": "none",
                "pos_embed": "sincos2d",
            },
            86_386_408,
        ),
        # R1, setting 1
        ("B/16", {"img_size": 72, "patch_size": 6, "num_classes": 100, "qkv_bias": False}, 85_301_092),
        ("B/16", {"img_size": 72, "patch_size": 6, "num_classes": 100}, 85_328_740),
    ],
)
def test_published_counts_of_changed_presets(name, changed, expected):
    assert count(name, **changed) == expected


@pytest.mark.peer
@pytest.mark.parametrize("name", [name for name in PRESETS if not name.startswith("r0_")])
def test_presets_are_timms_models(name):
    timm = pytest.importorskip("timm")
    if not timm.is_model(name):
        pytest.skip(f"timm has no {name}")
    with torch.device("meta"):
        theirs, ours = timm.create_model(name, num_classes=1000), ViT(preset(name))
    shapes = {key: value.shape for key, value in theirs.state_dict().items()}
    shapes["pos_embed.weight"] = shapes.pop("pos_embed")
    assert {key: value.shape for key, value in ours.state_dict().items()} == shapes
    assert theirs.blocks[0].attn.num_heads == ours.spec.num_heads


def test_every_preset_can_be_made():
    assert all(preset(name).num_classes in (10, 1000) for name in PRESETS)


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
        ("r0_vit", "r0_vit"),
    ],
)
def test_a_name_or_alias_is_its_preset(name, expected):
    assert resolve(name) == expected
    assert preset(name) == preset(expected)


def test_every_alias_resolves_to_what_it_says():
    assert {alias: resolve(alias) for alias in aliases()} == aliases()


@pytest.mark.parametrize(
    ("name", "near"), [("vit_bse_patch16_224", "vit_base_patch16_224"), ("B/17", "B/16"), ("r0_vitt", "r0_vit")]
)
def test_an_unknown_name_is_answered_with_a_near_one(name, near):
    with pytest.raises(SpecError, match=rf"unknown model '{name}'; did you mean .*{near}"):
        preset(name)


def test_a_preset_of_the_reference_says_what_r0_says():
    spec = preset("r0_vit")
    assert (spec.img_size, spec.patch_size, spec.embed_dim, spec.depth) == ((32, 32), (4, 4), 192, 9)
    assert (spec.num_heads, spec.mlp_ratio, spec.qkv_bias) == (12, 2.0, False)
    assert (spec.norm.eps, spec.init.name, spec.drop_path) == (1e-5, "torch_default", 0.0)


def test_listing_presets_imports_no_torch():
    script = "import sys, vitlab.models.presets as p; p.resolve('B/16'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
