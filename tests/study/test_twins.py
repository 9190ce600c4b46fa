"""Pairs of runs that are one training though their settings differ, and pairs that only look so."""

import pytest

from vitlab.data.sets.folder import Spec as Folder
from vitlab.models.cost import cost
from vitlab.study.twins import Named, same_training

NO_ATTENTION = {"model.mixer": "fft", "model.pos_embed": "learned"}
ONE_BLOCK = {"model.depth": 1}


@pytest.fixture
def found(base_run):
    """`found(base, one, other)`: the settings that change nothing between two runs, or nothing if they are two."""

    def find(base, one, other):
        specs = [base_run(base | settings) for settings in (one, other)]
        pairs = list(
            same_training([Named(name, spec, cost(spec.model)) for name, spec in zip("ab", specs, strict=True)])
        )
        return [changed for _, _, changed in pairs]

    return find


@pytest.mark.parametrize(
    ("base", "setting", "one", "other"),
    [
        (ONE_BLOCK, "model.drop_path", 0.0, 0.3),
        (NO_ATTENTION, "model.attention", "softmax", "linear"),
        (NO_ATTENTION, "model.qk_norm", False, True),
        ({"optim.schedule": "cosine"}, "optim.schedule.warmup_lr", 0.0, 1e-4),
        ({"optim.schedule": "constant"}, "optim.schedule.min_lr", 0.0, 1e-4),
        ({"optim.lr": 1e-3}, "optim.backbone_lr", None, 1e-3),
        ({"optim.weight_decay": 0.0}, "optim.decay_on", "kernels", "all"),
        ({}, "augment", [], [{"name": "flip", "p": 0.0}]),
        ({}, "augment", [{"name": "flip", "p": 0.0}, "crop"], ["crop", {"name": "rotate", "degrees": 0}]),
        ({}, "augment", [{"name": "crop", "padding": 0, "fill": "zero"}], []),
        ({}, "augment", [{"name": "mix", "cutmix_alpha": 0.0}], [{"name": "mix", "cutmix_alpha": 0.0, "switch": 0.1}]),
    ],
)
def test_what_does_nothing_is_found(found, base, setting, one, other):
    (changed,) = found(base, {setting: one}, {setting: other})
    assert all(path.startswith(setting) for path in changed)


def test_rates_are_compared_behind_the_warm_up_too(found):
    """Of data whose size nobody knows yet, and a warm-up of more steps than such a training may have."""
    base = {"data": Folder(path="nowhere", img_size=(8, 8), in_chans=1, num_classes=10), "steps": None, "epochs": 3.0}
    base |= {"optim.schedule": {"name": "cosine", "warmup_steps": 10_000}}
    assert found(base, {"optim.schedule.min_lr": 0.0}, {"optim.schedule.min_lr": 1e-4}) == []


@pytest.mark.parametrize(
    ("setting", "one", "other"),
    [
        ("model.drop_path", 0.0, 0.3),
        ("model.mlp_dropout", 0.0, 0.1),
        ("model.attention", "softmax", "linear"),
        ("model.init", "torch_default", "trunc_normal"),
        ("model.final_norm", "before_pool", "none"),
        ("model.depth", 2, 3),
        ("task.label_smoothing", 0.0, 0.1),
        ("optim.schedule.min_lr", 0.0, 1e-4),
        ("optim.backbone_lr", None, 0.5),
        ("optim.decay_on", "kernels", "all"),
        ("batch_size", 16, 32),
        ("augment", [], [{"name": "flip", "p": 1e-6}]),
        ("augment", ["crop"], [{"name": "crop", "fill": "reflect"}]),
        ("augment", ["crop", "flip"], ["flip", "crop"]),
        ("augment", [{"name": "mix", "prob": 0.0}], ["mix"]),
    ],
)
def test_what_does_something_is_left_alone(found, setting, one, other):
    assert found({}, {setting: one}, {setting: other}) == []
