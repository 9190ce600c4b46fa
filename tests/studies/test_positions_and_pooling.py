"""A two-by-two in a model of 16 patches of 8 × 8 pixels, D 64, depth 4."""

import pytest


@pytest.mark.slow
def test_what_positions_and_cls_add(planned):
    cells = planned("positions_and_pooling").cells
    parameters = {tuple(cell.cell.levels.values()): cell.cost.num_params for cell in cells}
    whole = parameters["learned", "cls"]
    assert {levels: whole - count for levels, count in parameters.items()} == {
        ("learned", "cls"): 0,
        ("learned", "mean"): 2 * 64,
        ("2-D sinusoids", "cls"): 17 * 64,
        ("2-D sinusoids", "mean"): 17 * 64 + 64,
    }
    assert {cell.candidates[0].spec.model.dims().num_patches for cell in cells} == {16}
    assert {cell.steps for cell in cells} == {1_600}


@pytest.mark.slow
def test_the_digits_version_asks_the_same(planned):
    names = [[cell.cell.name for cell in planned("positions_and_pooling", each).cells] for each in ("study", "digits")]
    assert names[0] == names[1]
