"""The ViT paper's eight models, in R0's size: 65 tokens of 192, nine layers, a grid of 8 × 8, attention heads of 16."""

import pytest

TABLE = 65 * 192  # 1-D
AXES = (8 + 8) * 96  # 2-D: cls has none
VECTORS = 9 * (2 * 64 - 1 + 3) * 16  # relative: an offset each, and three for cls, in every layer
WITHOUT = 2_679_946
TABLE_OF_PAPER = {
    "1-D": TABLE,
    "none": 0,
    "1-D, every layer": 9 * TABLE,
    "1-D, shared": TABLE,
    "2-D": AXES,
    "2-D, every layer": 9 * AXES,
    "2-D, shared": AXES,
    "relative": VECTORS,
}


@pytest.mark.slow
def test_the_eight_and_what_they_add(planned):
    cells = planned("positions").cells
    assert {cell.cell.name: cell.cost.num_params - WITHOUT for cell in cells} == TABLE_OF_PAPER
    assert {cell.cell.against for cell in cells[1:]} == {"1-D"}


@pytest.mark.slow
def test_kind_and_place_crossed(planned):
    cells = planned("positions", "factorial").cells
    added = {tuple(cell.cell.levels.values()): cell.cost.num_params - WITHOUT for cell in cells}
    assert added == {
        ("1-D", "stem"): TABLE,
        ("1-D", "every layer"): 9 * TABLE,
        ("1-D", "shared"): TABLE,
        ("2-D", "stem"): AXES,
        ("2-D", "every layer"): 9 * AXES,
        ("2-D", "shared"): AXES,
    }


@pytest.mark.slow
def test_the_digits_version_has_the_same_cells(planned):
    assert [cell.cell.name for cell in planned("positions", "digits").cells] == list(TABLE_OF_PAPER)
