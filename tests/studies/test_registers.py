import pytest


@pytest.mark.parametrize(("function", "width"), [("study", 192), ("digits", 32)])
@pytest.mark.slow
def test_a_register_is_a_token_with_a_position(planned, function, width):
    baseline, *others = planned("registers", function).cells
    models = [cell.candidates[0].spec.model for cell in (baseline, *others)]
    assert [model.num_registers for model in models] == [0, 1, 2, 4, 8]
    added = [cell.cost.num_params - baseline.cost.num_params for cell in others]
    assert added == [count * 2 * width for count in (1, 2, 4, 8)]


@pytest.mark.slow
def test_what_is_said(planned):
    said = [cell.cell.says for cell in planned("registers").cells[1:]]
    assert said == ["adding 1 register", "adding 2 registers", "adding 4 registers", "adding 8 registers"]
