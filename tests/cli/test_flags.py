"""Short flags for what everybody sets: the same as --set, in `vitlab train` and in `vitlab study`."""

import json

import pytest

from tests.reading import read_json
from vitlab.cli import options

QUICK = ("--device", "cpu", "--precision", "fp32", "--kernel", "explicit", "--threads", "1")


def test_flags_are_the_settings_that_they_are_short_for():
    short = options.settings([], epochs=2.0, lr=0.01, batch_size=32, model="r0_vit")
    assert short == options.settings(["epochs=2", "optim.lr=0.01", "batch_size=32", "model=r0_vit"])


def test_every_flag_is_short_for_a_setting_that_there_is(vitlab):
    from vitlab.catalogue.settings import RUN, settings

    assert set(options.FLAGS.values()) <= {setting.path for setting in settings(RUN)}
    words = vitlab("train", "--help").out
    assert all(f"--{name.replace('_', '-')} " in words for name in options.FLAGS)


def test_they_reach_the_run_and_what_they_replace_is_said(vitlab, tmp_path):
    answer = vitlab(
        *("train", "digits_small", *QUICK, "--epochs", 0.2, "--lr", 0.01, "--batch-size", 32, "--out", tmp_path / "run")
    )
    assert answer.code == 0, answer.err
    assert "epochs=0.2 replaces the recipe's steps=400\n" in answer.out
    spec = read_json(tmp_path / "run/spec.json")["spec"]
    assert (spec["epochs"], spec["steps"], spec["batch_size"], spec["optim"]["lr"]) == (0.2, None, 32, 0.01)


def test_a_study_s_base_takes_them_and_says_so(vitlab, tmp_path):
    design = {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "none"]}}
    (tmp_path / "mine.json").write_text(json.dumps({"question": "?", "base": "digits", "design": design}))
    words = ("study", tmp_path / "mine.json", "--dry-run")
    answer = vitlab(*words, "--steps", 30, "--batch-size", 8, "--model", "r0_vit", "--set", "model.patch_size=2")
    assert answer.code == 0, answer.err
    assert "steps=30 replaces the recipe's epochs=40" in answer.out
    cells = json.loads(vitlab(*words, "--steps", 30, "--batch-size", 8, "--json").out)["cells"]
    assert [(cell["steps"], cell["images_seen"]) for cell in cells] == [(30, 240)] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--lr", 0.1, "--set", "optim.lr=0.2"), "--lr 0.1 and --set optim.lr=0.2: set it once"),
        (("--batch-size", 8, "--set", "batch_size=9"), "--batch-size 8 and --set batch_size=9: set it once"),
        (("--seed", 1, "--set", "seed=2"), "--seed 1 and --set seed=2: set it once"),
        (("--epochs", 2, "--steps", 3), "epochs=2.0 and steps=3: set one of them"),
        (("--lr", "nan"), "optim.lr=nan: not a finite number"),
        (("--set", "optim=SGD"), "optim has settings, and no name; did you mean optim.optimizer=sgd?"),
        (("--model", "vit_tiny_patch16_22"), "did you mean vit_tiny_patch16_224"),
        (("--set", "lr=1e-3"), "unknown setting 'lr'; did you mean optim.lr?"),
    ],
)
def test_what_contradicts_itself_is_refused(vitlab, tmp_path, words, said):
    answer = vitlab("train", "digits", *QUICK, *words, "--out", tmp_path / "run")
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_the_same_said_twice_is_said_once():
    assert options.settings(["optim.lr=0.1"], lr=0.1) == {"optim.lr": 0.1}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("vit_tiny_patch16_224", "vitlab train pictures --data FOLDER --model vit_tiny_patch16_224"),
        ("r0_vit", "vitlab train r0_cifar10 --model r0_vit"),
        ("cifar10", "vitlab train r0_cifar10 --data cifar10"),
        ("my_pets", "vitlab train pictures --data my_pets"),
        ("my_study.py", "vitlab study my_study.py"),
    ],
)
def test_what_is_no_recipe_is_called_what_it_is(vitlab, tmp_path, monkeypatch, name, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_pets").mkdir()
    (tmp_path / "my_study.py").touch()
    answer = vitlab("train", name)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"vitlab: {name} is a ")
    assert "not a recipe" in answer.err
    assert command in answer.err


def test_the_command_for_a_model_can_be_given(vitlab):
    assert vitlab("show", "r0_cifar10", "--set", "model=r0_tomvit").code == 0


def test_a_recipe_is_no_study(vitlab):
    assert "digits is a recipe, not a study" in vitlab("study", "digits").err
