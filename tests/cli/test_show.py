import json
import re

import pytest

from vitlab import api


@pytest.mark.slow
def test_the_parts_add_up(vitlab):
    answer = vitlab("show", "r0_vit", "--json")
    found = json.loads(answer.out)
    assert (answer.code, answer.err) == (0, "")
    assert found["num_params"] == 2_692_426 == sum(row["num_params"] for row in found["components"])
    assert found["flops"] == sum(row["flops"] for row in found["components"])
    assert found["checkpointed_bytes"] < found["activation_bytes"]


@pytest.mark.parametrize("setting", ["model.depth=3", "depth=3"])
def test_settings_apply_with_and_without_the_prefix(vitlab, setting):
    found = json.loads(vitlab("show", "B/16", "--set", setting, "--json").out)
    assert found["spec"]["depth"] == 3


def test_the_table_for_people(vitlab):
    answer = vitlab("show", "r0_tomvit")
    assert "2,679,370" in answer.out
    assert "32 x 32" in answer.out
    assert re.search(r"With --checkpointing at most \d[\d,]+ activation bytes", answer.out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "B/17"), ("unknown model, recipe, run or checkpoint 'B/17'", "B/16")),
        (("show", "b16.npz"), ("b16.npz: there is no such file",)),
        (("show", "dino.pth#teacher"), ("dino.pth#teacher: there is no such file",)),
        (("show", "r0_vit", "--set", "depht=3"), ("unknown setting 'depht'", "depth")),
        (("show", "r0_vit", "--set", "depth=x"), ("depth='x'", "a whole number")),
        (("show", "r0_vit", "--set", "depth"), ("--set depth", "PATH=VALUE")),
    ],
)
def test_mistakes(vitlab, words, said):
    answer = vitlab(*words)
    assert (answer.code, answer.out) == (2, "")
    assert all(word in answer.err for word in said)


# ------------------------------------------------------------------------------------------------------------- recipes


def test_a_recipe_in_lines(vitlab):
    answer = vitlab("show", "digits")
    assert (answer.code, answer.err) == (0, "")
    lines = {line.split("  ")[0]: line for line in answer.out.splitlines()}
    assert answer.out.startswith("digits: A small ViT on scikit-learn's handwritten digits: the first thing to try")
    assert "8 × 8 × 1, 10 classes, 1,437 training pictures" in lines["data"]
    assert "D 64, depth 4, 4 heads, patches of 2 × 2; 134,986 parameters" in lines["model"]
    assert "pos_embed sincos2d, pool mean, init torch_default" in lines["parts"]
    assert "40 epochs, about 809 steps" in lines["length"]
    assert "adamw; lr=0.003, weight_decay=0.05, clip_norm=1" in lines["optimiser"]
    assert "cosine (warmup_epochs=3)" in lines["schedule"]
    assert "val every 5 epochs; test with the last weights; 10 % of the training pictures are val" in answer.out


def test_settings_apply_to_a_recipe_and_what_they_replace_is_said(vitlab):
    words = ("show", "digits", "--set", "steps=20", "--set", "model.attention=linear", "--set", "optim.clip_norm=none")
    answer = vitlab(*words)
    assert answer.out.startswith("steps=20 replaces the recipe's epochs=40\n")
    assert "attention linear" in answer.out
    spec = json.loads(vitlab(*words, "--json").out)["spec"]
    assert (spec["steps"], spec["epochs"], spec["optim"]["clip_norm"]) == (20, None, None)


def test_variants_are_listed_and_one_says_what_it_changes(vitlab):
    base, variant = vitlab("show", "r0_cifar10").out, vitlab("show", "r0_cifar10:lsa").out
    assert re.search(r"^r0_cifar10:lsa +model=r0_lsa", base, re.MULTILINE)
    assert re.search(r"^model +r0_ttt or r0_vit: D 192, depth 9", base, re.MULTILINE)
    assert re.search(r"^variant +model=r0_lsa", variant, re.MULTILINE)
    assert re.search(r"^model +r0_lsa: D 192", variant, re.MULTILINE)


# ---------------------------------------------------------------------------------------------------------------- runs


def test_a_run_in_lines(vitlab, finished):
    answer = vitlab("show", finished)
    assert (answer.code, answer.err) == (0, "")
    for said in (
        r"^status +finished",
        r"^scores +test top-1 \d+\.\d\d %, test loss",
        r"^time .*, 8 steps",
        r"^machine .*cpu",
    ):
        assert re.search(said, answer.out, re.MULTILINE), said
    assert "settings: these differ from digits" in answer.out
    assert re.search(r"^model\.embed_dim +16", answer.out, re.MULTILINE)
    found = json.loads(vitlab("show", finished, "--json").out)
    assert found["differs"] == {
        "model.embed_dim": 16,
        "model.depth": 2,
        "model.num_heads": 2,
        "batch_size": 16,
        "epochs": None,
        "steps": 8,
        "optim.schedule.warmup_epochs": 0.00742,
    }


def test_a_run_of_a_spec_of_one_s_own_differs_from_the_defaults(vitlab, finished, tmp_path):
    record = json.loads((finished / "spec.json").read_text())
    (tmp_path / "spec.json").write_text(json.dumps(record | {"recipe": "mine.json"}))
    found = json.loads(vitlab("show", tmp_path, "--json").out)
    assert (found["status"], found["compared_with"]) == ("unfinished", "the defaults")
    assert found["differs"]["batch_size"] == 16
    assert "seed" not in found["differs"]
    assert "still running, or it was killed" in vitlab("show", tmp_path).out


def test_a_name_that_is_both_is_the_recipe_and_that_is_said(vitlab, finished, tmp_path, monkeypatch):
    (tmp_path / "digits").symlink_to(finished)
    monkeypatch.chdir(tmp_path)
    answer = vitlab("show", "digits")
    assert answer.out.startswith("digits: A small ViT")
    assert answer.out.endswith("digits is also a run in this folder: vitlab show ./digits\n")
    assert vitlab("show", "./digits").out.startswith("./digits, a run")
    assert "--set: ./digits is a run" in vitlab("show", "./digits", "--set", "steps=3").err


def test_what_cannot_be_shown_is_called_what_it_is(vitlab):
    answer = vitlab("show", "cifar10")
    assert answer.code == 2
    assert answer.err.startswith("vitlab: cifar10 is a data set, not a model, recipe, run or checkpoint")


# --------------------------------------------------------------------------------------------------------- checkpoints


def test_a_checkpoint_in_lines(vitlab, exported):
    answer = vitlab("show", exported)
    assert answer.code == 0
    assert answer.out.startswith(f"{exported}, a checkpoint\n")
    for said in (
        r"^model +2 blocks of width 16, 2 attention heads, patches of 2 × 2 pixels",
        r"^size +[\d,]+ parameters, [\d,]+ FLOPs an image",
        r"^classes +10: 0, 1, 2 and 7 more",
        r"^pictures +brought to 8 × 8 pixels",
        r"^weights +timm weights, \d+ tensors",
        r"^embed_dim +16",
    ):
        assert re.search(said, answer.out, re.MULTILINE), said


@pytest.mark.parametrize("which", ["model.safetensors", "."])
def test_a_checkpoint_as_json(vitlab, exported, which):
    found = json.loads(vitlab("show", exported / which, "--json").out)
    assert found["model"]["embed_dim"] == found["differs"]["embed_dim"] == 16
    assert found["preprocessing"]["img_size"] == [8, 8]


def test_a_converted_folder_and_one_checkpoint_of_a_run_are_checkpoints(vitlab, exported, finished, tmp_path):
    api.convert(exported, tmp_path / "mine")
    assert "timm weights" in vitlab("show", tmp_path / "mine").out
    (first, *_) = sorted((finished / "checkpoint").iterdir())
    assert re.search(r"^trained on +digits", vitlab("show", first).out, re.MULTILINE)


def test_what_vitlab_has_trained_stands(vitlab, finished):
    (first, *_) = sorted((finished / "checkpoint").iterdir())
    assert "tells all of its model" in vitlab("show", first, "--set", "depth=3").err
    assert f"--model B/16: {finished} is a run" in vitlab("show", finished, "--model", "B/16").err


def test_of_what_others_wrote_what_no_tensor_tells_is_said(vitlab, exported):
    weights = exported / "model.safetensors"
    told = vitlab("show", weights, "--set", "num_heads=4", "--set", "num_classes=0").out
    assert re.search(r"^model +2 blocks of width 16, 4 attention heads", told, re.MULTILINE)
    assert re.search(r"^classes +none: it gives features", told, re.MULTILINE)
    assert "depth=2 by its name or what" not in vitlab("show", weights, "--model", "Ti/16").out


def test_a_checkpoint_is_no_recipe_and_it_is_said_what_starts_from_it(vitlab, exported):
    answer = vitlab("train", exported)
    assert f"{exported} is a checkpoint, not a recipe" in answer.err
    assert f"vitlab train finetune --init {exported} --data FOLDER" in answer.err
