"""R3's three systems, and where they stand among six."""

import pytest

from vitlab.models.spec import preset

PARAMETERS = {"VIT": 829_322, "VITL": 924_426, "VITX": 1_017_162}


@pytest.mark.parametrize("function", ["study", "short"])
@pytest.mark.slow
def test_the_three_are_the_presets(planned, function):
    cells = {cell.cell.name: cell for cell in planned("r3_attention_tokens", function).cells}
    assert {name: cell.cost.num_params for name, cell in cells.items()} == PARAMETERS
    for name, cell in cells.items():
        assert cell.candidates[0].spec.model == preset(f"r3_{name.lower()}")


@pytest.mark.slow
def test_three_of_the_six_are_r3_s(planned):
    cells = {tuple(cell.cell.levels.values()): cell for cell in planned("r3_attention_tokens", "factorial").cells}
    systems = {
        ("softmax", "patches"): "r3_vit",
        ("linear", "pixels"): "r3_vitl",
        ("linear", "convolved pixels"): "r3_vitx",
    }
    assert len(cells) == 6
    for levels, name in systems.items():
        assert cells[levels].candidates[0].spec.model == preset(name)
    biases = 4 * (3 * 128 + 128)  # of q, k, v and the output, in four layers
    assert cells["softmax", "pixels"].cost.num_params == PARAMETERS["VITL"] + biases
    assert cells["softmax", "convolved pixels"].cost.num_params == PARAMETERS["VITX"] + biases
    assert cells["linear", "patches"].cost.num_params == PARAMETERS["VIT"] - biases


@pytest.mark.slow
def test_the_short_one_sees_ten_thousand_images_once(planned):
    found = planned("r3_attention_tokens", "short")
    spec = found.study.base
    assert spec.steps * spec.batch_size == pytest.approx(10_000, rel=0.02)
    assert not spec.test_every_epoch
    assert found.study.num_seeds == 4


def test_on_digits_tokens_are_patches_or_pixels(planned):
    cells = planned("r3_attention_tokens", "digits").cells
    assert [cell.candidates[0].spec.model.dims().num_patches for cell in cells] == [16, 64, 64]
    assert [cell.candidates[0].spec.model.attention.name for cell in cells] == ["softmax", "linear", "linear"]
