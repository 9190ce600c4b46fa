"""Each pooling at its own learning rate, and both at the same ones."""

import pytest


@pytest.mark.parametrize("function", ["study", "digits"])
@pytest.mark.slow
def test_both_are_tuned_over_the_same_grid(planned, function):
    found = planned("cls_vs_mean", function)
    cls, mean = found.cells
    rates = [each.spec.optim.lr for each in cls.candidates]
    assert rates == [each.spec.optim.lr for each in mean.candidates] == sorted(rates)
    assert len(rates) == 4
    assert found.study.tune_seeds == 2
    assert {each.spec.val_fraction for cell in found.cells for each in cell.candidates} == {0.1}


@pytest.mark.slow
def test_the_mean_has_no_cls_token(planned):
    cls, mean = planned("cls_vs_mean").cells
    model = mean.candidates[0].spec.model
    assert (model.pool.name, model.cls_token) == ("mean", False)
    assert (cls.cost.num_params, mean.cost.num_params) == (2_692_426, 2_692_042)
    assert mean.cell.says == "mean pooling instead of cls"


@pytest.mark.slow
def test_the_paper_s_two_rates_crossed(planned):
    cells = planned("cls_vs_mean", "rates").cells
    models = [(each.candidates[0].spec.model.pool.name, each.candidates[0].spec.optim.lr) for each in cells]
    assert models == [("cls", 8e-4), ("cls", 3e-4), ("mean", 8e-4), ("mean", 3e-4)]
    assert [len(cell.candidates) for cell in cells] == [1, 1, 1, 1]
