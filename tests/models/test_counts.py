"""The one table of parameter counts that the reference studies (R0 … R4) and timm print, to the parameter."""

import pytest

from tests.conftest import mostly_slow
from vitlab.base.spec import with_settings
from vitlab.models.cost import cost, num_params
from vitlab.models.presets import PRESETS
from vitlab.models.spec import preset

R0 = {
    "r0_vit": 2_692_426,
    "r0_vit:100": 2_709_796,
    "r0_vaswani:100": 2_709_796,
    "r0_tomvit": 2_679_370,
    "r0_tomvit:100": 2_696_740,
    "r0_ttt": 2_692_426,
    "r0_ttf": 2_679_946,
    "r0_tft": 2_692_042,
    "r0_tff": 2_679_562,
    "r0_ftt": 2_692_042,
    "r0_ftf": 2_679_754,
    "r0_fft": 2_691_658,
    "r0_fff": 2_679_370,
    "r0_tomvit_ae": 2_694_196,
    "r0_tomvit_ae:100": 2_711_566,
    "r0_tomvit_ae_tables": 3_315_949,
    "r0_tomvit_ae_tables:100": 3_333_319,
    "r0_tomvit_ae_xavier": 3_315_949,
    "r0_tomvit_ae_xavier:100": 3_333_319,
    "r0_spt": 2_729_770,
    "r0_spt:100": 2_747_140,
    "r0_lsa": 2_692_534,
    "r0_lsa:100": 2_709_904,
    "r0_sl": 2_729_878,
    "r0_sl:100": 2_747_248,
    "r0_vit_base": 86_540_008,
}
R1 = {"r1_vit": 85_301_092, "vit_base_patch16_384:100": 86_167_396}
R2 = {  # with 10, with 100 classes
    "B/16": (85_806_346, 85_875_556),
    "B/32": (87_462_922, 87_532_132),
    "B/16@384": (86_098_186, 86_167_396),
    "B/32@384": (87_535_882, 87_605_092),
    "L/16": (303_311_882, 303_404_132),
    "L/32": (305_520_650, 305_612_900),
    "L/16@384": (303_701_002, 303_793_252),
    "L/32@384": (305_617_930, 305_710_180),
    "R50+B/16": (97_897_802, 97_967_012),
    "R50+B/16@384": (98_189_642, 98_258_852),
    "R50+L/32": (327_980_106, 328_072_356),
    "R50+L/32@384": (328_077_386, 328_169_636),
    "R26+S/32": (36_050_762, 36_085_412),
    "H/14": (630_777_610, 630_892_900),
}
THOUSAND = {"B/16": 86_567_656, "L/32": 306_535_400, "H/14": 632_045_800}
R3 = {"r3_vit": 829_322, "r3_vitl": 924_426, "r3_vitx": 1_017_162}
R4 = {"r4_vit": 86_540_008, "r4_pos_1d": 86_567_656}
DISTILLED = {  # timm's
    "deit_tiny_distilled_patch16_224": 5_910_800,
    "deit_small_distilled_patch16_224": 22_436_432,
    "deit_base_distilled_patch16_224": 87_338_192,
}
COUNTS = {
    **R0,
    **R1,
    **{f"{name}:{classes}": both[at] for name, both in R2.items() for at, classes in enumerate((10, 100))},
    **THOUSAND,
    **R3,
    **R4,
    **DISTILLED,
}


@pytest.mark.parametrize(("name", "expected"), mostly_slow(COUNTS.items(), every=4))
def test_a_model_has_the_printed_number_of_parameters(name, expected):
    assert num_params(preset(name)) == expected


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        # R0's fff on ImageNet, if TomViT(B) were that
        (
            "r0_vit_base",
            {"cls_token": False, "pool": "mean", "final_norm": "none", "pos_embed": "sincos2d"},
            86_386_408,
        ),
        # R1's setting 1 with biases on q, k and v
        ("r1_vit", {"qkv_bias": True}, 85_328_740),
    ],
)
def test_printed_counts_of_changed_models(name, changed, expected):
    assert num_params(with_settings(preset(name), changed)) == expected


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("r4_pos_none", 0),
        ("r4_pos_1d_layers", 12 * 197 * 768),
        ("r4_pos_1d_shared", 197 * 768),
    ],
)
def test_positions_cost_their_tables(name, tables):
    assert num_params(preset(name)) == 86_567_656 - 197 * 768 + tables


def test_a_shape_by_hand():
    """R4's base: of a block 4·D² and 2·D·M numbers, biases and norms; in front 49 patches of 32, positions and cls."""
    width, mlp, depth = 1024, 2048, 8
    block = 4 * width**2 + 4 * width + 2 * width * mlp + mlp + width + 4 * width
    stem = (3 * 32 * 32 + 1) * width + width + 50 * width
    assert num_params(preset("r4_shape_base")) == depth * block + stem + 2 * width + 1000 * width + 1000
    assert num_params(preset("r4_shape_depth64")) - num_params(preset("r4_shape_base")) == 56 * block


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r0_tomvit", "vit_tiny_patch16_224"])
def test_the_count_alone_is_the_count_of_the_costs(name):
    assert num_params(preset(name)) == cost(preset(name)).num_params


@pytest.mark.slow
def test_every_preset_can_be_built():
    assert all(num_params(preset(f"{name}:7")) > 0 for name in PRESETS)
