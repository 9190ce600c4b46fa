"""Three places for norms, tuned; and crossed with a warm-up."""

import pytest


@pytest.mark.slow
def test_three_blocks_of_nine_layers(planned):
    found = planned("pre_post_norm")
    models = [cell.candidates[0].spec.model for cell in found.cells]
    assert [model.block.name for model in models] == ["pre_norm", "post_norm", "sandwich"]
    assert {model.final_norm for model in models} == {"before_pool"}
    two_more = 9 * 2 * 2 * 192  # norms a layer, each with a scale and a shift
    assert [cell.cost.num_params for cell in found.cells] == [2_692_426, 2_692_426, 2_692_426 + two_more]


@pytest.mark.slow
def test_each_is_tuned(planned):
    for function in ("study", "digits"):
        found = planned("pre_post_norm", function)
        assert [len(cell.candidates) for cell in found.cells] == [4, 4, 4]
        assert found.study.tune_seeds == 2


@pytest.mark.slow
def test_crossed_with_a_warm_up(planned):
    cells = planned("pre_post_norm", "warm_up").cells
    warm_ups = [cell.candidates[0].spec.optim.schedule.warmup_steps for cell in cells]
    assert warm_ups == [1_172, 0] * 3
    assert cells[3].cell.says == "post-norm instead of pre-norm and no warm-up"
