"""The rows against what they name: presets, recipes, parameter counts, and the figures that the studies print."""

import re

import pytest

from vitlab.models.spec import preset
from vitlab.recipes import recipe
from vitlab.reference import STUDIES, systems
from vitlab.reference.page import NAMES
from vitlab.reference.system import Evidence, Missing

ROWS = {system.row: system for system in systems()}


def figures(row):
    return [figure.value for figure in ROWS[row].published]


def test_every_row_has_its_own_name():
    assert len(ROWS) == len(systems()) > 100
    assert all(re.fullmatch(r"R[0-4]/[^|]+", row) for row in ROWS)
    for study, module in STUDIES.items():
        assert all(system.row.startswith(f"{study}/") for system in module.SYSTEMS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_what_there_is_or_says_why_not(row):
    system = ROWS[row]
    if isinstance(system.preset, str):
        spec = preset(system.preset)
        assert spec.num_classes == {"CIFAR-10": 10, "CIFAR-100": 100, "ImageNet-1k": 1000}[system.dataset]
    else:
        assert not isinstance(system.recipe, str)
        assert not isinstance(system.ours, Evidence)
    assert all(reason for reason in system.missing.values())
    assert all(figure.metric in NAMES for figure in system.published)


@pytest.mark.parametrize("row", [row for row, system in ROWS.items() if isinstance(system.recipe, str)])
def test_a_row_s_recipe_trains_its_preset_on_its_data(row):
    """Rates of dropout and stochastic depth are the recipe's, and so is where the weights begin; and the form of the
    GELU that published weights were trained with.
    """
    system = ROWS[row]
    run, model = recipe(system.recipe), preset(system.preset)
    free = ("init", "mlp", "drop_path", "embed_dropout", "mixer_dropout", "mlp_dropout")
    differing = {name for name, value in vars(run.model).items() if value != getattr(model, name)}
    assert differing <= set(free)
    assert (
        run.data.name == {"CIFAR-10": "cifar10", "CIFAR-100": "cifar100", "ImageNet-1k": "imagenet1k"}[system.dataset]
    )
    if "mlp" in differing:
        assert (system.recipe.partition(":")[0], run.model.mlp.approximate) == ("r2_official", "tanh")
    if "init" in differing:  # where the head begins is part of the recipe
        assert system.recipe.startswith(("augreg", "r2_official", "vit_imagenet"))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("R0/C10/ViT(Ours)", [93.79, 0.6577]),
        ("R0/C10/TomViT", [95.24, 0.6265]),
        ("R0/C100/TomViT AE2", [77.37, 1.5951]),
        ("R0/C100/fft", [76.10]),
        ("R0/IN1k/TomViT(B)", [77.816]),
        ("R1/setting 1", [23.93, 49.68, 82.83, 25.63]),
        ("R1/setting 2", [86.54, 98.17, 86.79, 87.13]),
        ("R2/C10/R50+B/16@384", [98.72, 98.94]),
        ("R2/C100/L/32@384", [93.29, 93.34]),
        ("R2/IN1k/B/16@384", [84.53, 84.12]),
        ("R3/C10/VITX", [78.89, 178.8]),
        ("R4/positions/1-D, shared", [64.292]),
        ("R4/pooling/mean, lr 3e-4", [55.7]),
        ("R4/masked patches/mean colour", [79.9]),
        ("R4/SAM/B/16", [79.9]),
        ("R4/GSAM/B/32", [76.8]),
    ],
)
def test_published_figures(row, expected):
    assert figures(row) == expected


def test_what_cannot_be_built_or_trained_says_so():
    assert isinstance(ROWS["R0/IN1k/TomViT(B)"].preset, Missing)
    assert "radius" in ROWS["R4/SAM/B/16"].missing["recipe"]
    assert "masked patch" in ROWS["R4/masked patches/whole patch"].missing["recipe"]
    assert "JFT" in ROWS["R4/positions/none"].missing["ours"]


def test_what_is_inferred_is_marked():
    assert "parameter count" in ROWS["R0/C10/TomViT AE2"].inferred
    assert "Xavier" in ROWS["R0/C100/ViT(vaswani)"].inferred
    assert "heads" in ROWS["R4/shape/base"].inferred
