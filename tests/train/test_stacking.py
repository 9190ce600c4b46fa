"""Which runs can be stacked; and that each is then the run that it would be alone."""

import pytest

from tests.train.conftest import largest_difference, weights_of
from vitlab.base.errors import SpecError
from vitlab.base.files import read_lines
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides
from vitlab.train.stacking import Section, sections, structure

OWN = {  # each changes what a run computes with, and nothing about how
    "lr": {"optim.lr": 1e-3},
    "decay": {"optim.weight_decay": 0.3},
    "no decay": {"optim.weight_decay": 0.0},
    "schedule": {"optim.schedule": {"name": "linear", "warmup_steps": 1}},
    "augment": {"augment": ["flip", {"name": "mix", "prob": 0.8}]},
    "init": {"model.init": "xavier_uniform"},
}


@pytest.mark.parametrize("settings", [{"seed": 5}, *OWN.values()])
def test_what_may_differ(tiny_run, settings):
    assert structure(tiny_run(settings)) == structure(tiny_run())


@pytest.mark.parametrize(
    "settings",
    [
        {"model.depth": 1},
        {"model.drop_path": 0.1},
        {"batch_size": 8},
        {"steps": 13},
        {"val_seed": 1},
        {"optim.clip_norm": 2.0},
        {"optim.optimizer": "sgd"},
        {"optim.layer_decay": 0.9},
        {"task.label_smoothing": 0.1},
        {"preprocess": [{"name": "resize", "size": [8, 8]}]},
    ],
)
def test_what_may_not(tiny_run, settings):
    assert structure(tiny_run(settings)) != structure(tiny_run())
    with pytest.raises(SpecError, match="may differ in seed, start, augment, "):
        sections([tiny_run(), tiny_run(settings)])


def test_beside_a_backbones_own_rate_the_rate_decides_which_parameters_form_a_group(tiny_run):
    one, other = (tiny_run({"optim.backbone_lr": 1e-3, "optim.lr": lr}) for lr in (1e-3, 2e-3))
    assert structure(one) != structure(other)


def test_no_run_is_no_stack():
    with pytest.raises(SpecError, match="no run to train"):
        sections([])


def test_neighbours_that_differ_in_their_seed_are_one_section(tiny_run):
    specs = [tiny_run(seed=3), tiny_run(seed=1), tiny_run(OWN["lr"], seed=1), tiny_run(seed=2)]
    assert sections(specs) == [
        Section(slice(0, 2), specs[0]),
        Section(slice(2, 3), specs[2]),
        Section(slice(3, 4), specs[3]),
    ]


@pytest.mark.slow
def test_each_is_the_run_that_it_would_be_alone(tiny_run, loop_of, everything_random):
    """Rates, decays, schedules, augmentations and initial weights of its own; fifty steps in double precision."""
    base = everything_random | {"optim.ema": 0.9, "optim.clip_norm": 0.5}
    specs = [tiny_run(base | own, steps=50, seed=seed) for own in OWN.values() for seed in (0, 4)]
    stacked = loop_of(specs)
    alone = [loop_of(spec) for spec in specs]
    for loop in (stacked, *alone):
        for _ in range(50):
            loop.step()
    for run, loop in enumerate(alone):
        assert largest_difference(weights_of(stacked, run), weights_of(loop)) <= 1e-8
        assert stacked.lr(5, run) == loop.lr(5)
    assert len({loop.lr(5) for loop in alone}) == 3
    scores = stacked.meter.read()
    assert len({line["train_loss"] for line in scores}) == len(specs)


@pytest.mark.slow
def test_their_records_are_their_own(tiny_run, tmp_path):
    specs, names = [tiny_run(), tiny_run(OWN["lr"]), tiny_run(OWN["augment"])], ["a", "b", "c"]
    overrides = Overrides(device="cpu", precision="fp64", kernel="explicit", threads=1)
    for way, together in (("stacked", [range(3)]), ("alone", [[0], [1], [2]])):
        for runs in together:
            folders = [tmp_path / way / names[run] for run in runs]
            train([specs[run] for run in runs], folders, recipe=[names[run] for run in runs], overrides=overrides)
    for name in names:
        ours, theirs = (read_lines(tmp_path / way / name / "metrics.jsonl") for way in ("stacked", "alone"))
        for line, other in zip(ours, theirs, strict=True):
            assert line["lr"] == other["lr"]
            assert line["train_loss"] == pytest.approx(other["train_loss"], rel=1e-9)
            assert line["val_loss"] == pytest.approx(other["val_loss"], rel=1e-9)
