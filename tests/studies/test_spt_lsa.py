"""SL-ViT's parts crossed: R0's rows, to the unit."""

from dataclasses import replace

import pytest

from vitlab.models.spec import preset

PARAMETERS = {  # CIFAR-10 and -100
    "r0_vit": (2_692_426, 2_709_796),
    "r0_lsa": (2_692_534, 2_709_904),
    "r0_spt": (2_729_770, 2_747_140),
    "r0_sl": (2_729_878, 2_747_248),
}


@pytest.mark.parametrize(
    ("function", "place", "classes", "drop_path"), [("study", 0, 10, 0.0), ("cifar100", 1, 100, 0.1)]
)
@pytest.mark.slow
def test_the_cells_are_the_presets_with_one_initialisation(planned, function, place, classes, drop_path):
    cells = planned("spt_lsa", function).cells
    for cell, (name, parameters) in zip(cells, PARAMETERS.items(), strict=True):
        own = replace(preset(name), num_classes=classes, drop_path=drop_path, init=preset("r0_sl").init)
        assert cell.candidates[0].spec.model == own
        assert cell.cost.num_params == parameters[place]


@pytest.mark.slow
def test_on_digits(planned):
    models = [cell.candidates[0].spec.model for cell in planned("spt_lsa", "digits").cells]
    assert [(model.patch_embed.name, model.attention.name) for model in models] == [
        ("linear", "softmax"),
        ("linear", "lsa"),
        ("spt", "softmax"),
        ("spt", "lsa"),
    ]
