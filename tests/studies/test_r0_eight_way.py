"""The factorial's cells are R0's eight models, to the unit."""

from dataclasses import replace

import pytest

from vitlab.models.spec import preset
from vitlab.recipes import recipe

PARAMETERS = {  # of CIFAR-10: cls, final norm, learned positions; t for with
    "ttt": 2_692_426,
    "ttf": 2_679_946,
    "tft": 2_692_042,
    "tff": 2_679_562,
    "ftt": 2_692_042,
    "ftf": 2_679_754,
    "fft": 2_691_658,
    "fff": 2_679_370,
}


@pytest.mark.parametrize(("function", "classes", "drop_path"), [("study", 10, 0.0), ("cifar100", 100, 0.1)])
@pytest.mark.slow
def test_the_cells_are_the_presets(planned, function, classes, drop_path):
    cells = planned("r0_eight_way", function).cells
    for cell, (letters, parameters) in zip(cells, PARAMETERS.items(), strict=True):
        own = replace(preset(f"r0_{letters}"), num_classes=classes, drop_path=drop_path)
        assert cell.candidates[0].spec.model == own
        assert cell.cost.num_params == parameters + (classes - 10) * 193
        assert list(cell.cell.levels.values()) == [
            "yes" if letters[0] == "t" else "no",
            "yes" if letters[1] == "t" else "no",
            "learned" if letters[2] == "t" else "sinusoidal",
        ]


@pytest.mark.parametrize("function", ["study", "cifar100"])
@pytest.mark.slow
def test_the_training_is_r0_s(planned, function):
    published = recipe("r0_cifar10" if function == "study" else "r0_cifar100")
    for cell in planned("r0_eight_way", function).cells:
        assert replace(cell.candidates[0].spec, model=published.model) == published


@pytest.mark.slow
def test_the_short_one_is_twenty_passes_of_four_seeds(planned):
    found = planned("r0_eight_way", "short")
    spec = found.study.base
    assert spec.steps * spec.batch_size / 50_000 == pytest.approx(20, rel=1e-3)
    assert spec.optim.schedule.warmup_steps * 10 == spec.steps
    assert (found.study.num_seeds, spec.val_fraction, spec.evaluate_every) == (4, 0.0, 5.0)
    assert [cell.cost.num_params for cell in found.cells] == list(PARAMETERS.values())


@pytest.mark.slow
def test_what_is_said(planned):
    found = planned("r0_eight_way", "digits")
    assert [cell.cell.says for cell in found.cells][-1] == (
        "mean pooling instead of a cls token and no final norm and 2-D sinusoids instead of learned positions"
    )
    assert len(found.study.design.factors_crossed()) == 3
