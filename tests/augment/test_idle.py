"""What operations say of their own settings: that nothing happens, and which of them change nothing."""

import pytest
import torch

from tests.augment.pictures import pictures
from vitlab.augment.ops._base import OpSpec
from vitlab.augment.pipeline import Pipeline
from vitlab.base.spec import component_class, component_names
from vitlab.recipes import recipe
from vitlab.rng import sample_keys

IDLE = [
    ("flip", {"p": 0.0}),
    ("erase", {"p": 0.0}),
    ("crop", {"padding": 0, "fill": "reflect"}),
    ("rotate", {"degrees": 0.0}),
    ("rotate", {"degrees": 0.0, "interpolation": "bilinear", "fill": 128}),
    ("color_jitter", {}),
    ("rand_augment", {"num_ops": 0}),
    ("mix", {"prob": 0.0}),
    ("mix", {"mixup_alpha": 0.0, "cutmix_alpha": 0.0}),
]
UNUSED = [  # what is set, and other values of what is unused beside it
    ("mix", {"cutmix_alpha": 0.0}, {"switch": 1.0}),
    ("mix", {"mixup_alpha": 0.0}, {"switch": 0.0}),
    ("mix", {"switch": 0.0}, {"cutmix_alpha": 0.3}),
    ("mix", {"switch": 1.0}, {"mixup_alpha": 0.3}),
    ("crop", {"padding": 0, "size": (6, 6)}, {"fill": "reflect"}),
]
CHANGING = sorted(set(component_names(OpSpec.family)) - {"resize", "center_crop", "color_jitter"})
IMAGES, LABELS = pictures(64, 3, 10, 12)[None], torch.arange(64)[None] % 5
KEYS = sample_keys(torch.tensor([0]), torch.arange(64))


def made(*ops: OpSpec) -> tuple[torch.Tensor, torch.Tensor]:
    """What becomes of the pictures and their targets."""
    return Pipeline(ops, (0.5,) * 3, (0.2,) * 3, num_classes=5)(IMAGES, LABELS, KEYS)


def op_of(name: str, settings: dict) -> OpSpec:
    return component_class(OpSpec, name)(**settings)


@pytest.mark.parametrize(("name", "settings"), IDLE)
def test_an_idle_operation_changes_nothing(name, settings):
    op = op_of(name, settings)
    assert op.idle
    for ours, theirs in zip(made(op), made(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    "name", sorted(set(component_names(OpSpec.family)) - {"resize", "center_crop", "color_jitter"})
)
def test_what_is_not_idle_changes_pictures(name):
    op = op_of(name, {})
    assert not op.idle
    if op.stage != "stored":  # the crop of a picture as it is stored has been made before
        assert not torch.equal(made(op)[0], made()[0])


@pytest.mark.parametrize(("name", "settings", "others"), UNUSED)
def test_an_unused_setting_changes_nothing(name, settings, others):
    op = op_of(name, settings)
    assert set(others) == set(op.unused)
    for ours, theirs in zip(made(op), made(op_of(name, settings | others)), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", component_names("vitlab.recipes"))
def test_no_recipe_has_an_operation_that_does_nothing(name):
    assert [op.name for op in recipe(name).augment if op.idle] == []
