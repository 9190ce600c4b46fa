"""Checkpoints as people have them: of another resolution, of another library, of another number of classes."""

import argparse
import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import vitlab as package
from vitlab import api
from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.trained import load
from vitlab.cli import output
from vitlab.models.vit import build
from vitlab.recipes import recipe

# ---------------------------------------------------------------------------------------------- 34: another resolution


@pytest.mark.parametrize(
    ("positions", "said"),
    [
        ("learned", "positions resized from 2 × 2 to 4 × 4 patches"),
        ("sincos2d", "positions stretched to the 2 × 2 patches of training, from 2 × 2 to 4 × 4 patches"),
        ("rope2d", "positions stretched to the 2 × 2 patches of training, from 2 × 2 to 4 × 4 patches"),
        ("relative_bias", "positions resized from 2 × 2 to 4 × 4 patches"),
    ],
)
def test_34_positions_go_along_to_another_resolution(positions, said, tree, run, capsys):
    """Case 34: a table is resized, what is computed is stretched, and it is said which."""
    data = tree("d", ["a", "b"], 10)
    first = run(data, "first", **{"model.pos_embed": positions})
    second = run(
        data, "second", init=first, **{"model.pos_embed": positions, "data.img_size": 16}, console=output.console()
    )
    assert said in " ".join(capsys.readouterr().out.split())
    assert load(second).model.spec.img_size == (16, 16)


def test_34_they_run_on_where_that_is_asked_for(tree, run, capsys):
    data = tree("d", ["a", "b"], 10)
    first = run(data, "first", **{"model.pos_embed": "sincos2d"})
    more = {"model.pos_embed": "sincos2d", "data.img_size": 16, "start.positions": "run_on"}
    second = run(data, "second", init=first, console=output.console(), **more)
    assert "positions run on from 2 × 2 to 4 × 4 patches" in " ".join(capsys.readouterr().out.split())
    assert load(second).model.spec.pos_embed.seen is None


# ------------------------------------------------------------------------------------------------- 38: features, heads


@pytest.mark.parametrize("changed", [{}, {"pool": "mean"}, {"pool": "mean_logits"}, {"head": "cosine"}])
def test_38_no_classes_are_features(changed):
    """Case 38: `num_classes=0`, as in timm, and a head that somebody takes off."""
    settings = {"depth": 1, "img_size": 32, **changed}
    images = torch.randn(2, 3, 32, 32)
    features = package.create("vit_tiny_patch16_224", num_classes=0, **settings)
    assert features(images).shape == (2, 192)
    beheaded = package.create("vit_tiny_patch16_224", num_classes=7, **settings)
    beheaded.head = torch.nn.Identity()
    assert beheaded(images).shape == (2, 192)
    torch.testing.assert_close(features(images), features.representation(images))


# ---------------------------------------------------------------------------------- 41: the model and the tool's answer


def test_41_the_models_answer_is_the_tools(tree, run):
    """Case 41: what `load` gives prepares pictures as `predict` does, and refuses what was not prepared."""
    picture = sorted(tree("d", ["a", "b"], 10).rglob("*.png"))[0]
    folder = run(picture.parents[1])
    model = package.load(folder)
    (told,) = package.predict(folder, [picture])
    by_hand = model(model.prepare([picture])).softmax(-1)[0]
    assert dict(told.classes) == pytest.approx(dict(zip(model.class_names, by_hand.tolist(), strict=True)), abs=1e-6)
    array, opened = np.array(Image.open(picture)), Image.open(picture)
    assert package.predict(model, array)[0].classes == package.predict(model, opened)[0].classes == told.classes
    for wrong in (torch.from_numpy(array)[None], torch.from_numpy(array).permute(2, 0, 1)[None].float()):
        with pytest.raises(ValueError, match=r"normalised|takes"):
            model(wrong)
    with pytest.raises(ValueError, match="no batch axis"):
        model(model.prepare([picture])[0])


# --------------------------------------------------------------------------------------------- 47: one's own classes


def test_47_a_head_for_other_classes_starts_anew_and_it_is_said(tree, run, capsys):
    """Case 47, the most-asked question of all."""
    three, four = tree("three", ["a", "b", "c"], 10), tree("four", list("abcd"), 10)
    first = run(three, "first")
    second = run(four, "second", init=first, console=output.console())
    said = " ".join(capsys.readouterr().out.split())
    assert "newly initialised (3 classes there, 4 here): head.bias, head.weight" in said
    assert load(second).model.spec.num_classes == 4


def test_47_a_recipe_for_it(tree, run, tmp_path):
    """By the recipe that is made for it, from the weights of another recipe's run."""
    first = run(tree("three", ["a", "b", "c"], 10), "first")
    api.train(
        "finetune", tmp_path / "second", init=first,
        overrides={"device": "cpu", "precision": "fp32", "kernel": "explicit", "threads": 1},
        settings={"data": str(tree("four", list("abcd"), 10)), "steps": 2, "batch_size": 8, "val_fraction": 0},
    )  # fmt: skip
    assert load(tmp_path / "second").preprocessing.class_names == tuple("abcd")


# ---------------------------------------------------------------------------------------------------- 48: other names


def test_48_the_names_of_another_library_load(tree, run, tmp_path):
    """Case 48: the table of positions is `pos_embed` in timm, and `pos_embed.weight` here."""
    data = tree("d", ["a", "b"], 10)
    first = run(data, "first", **{"model.pos_embed": "learned"})
    tensors = load(first).model.state_dict()
    tensors["pos_embed"] = tensors.pop("pos_embed.weight")
    save_file(tensors, tmp_path / "timm.safetensors")
    second = run(data, "second", init=tmp_path / "timm.safetensors", **{"model.pos_embed": "learned"})
    assert (second / "result.json").exists()


def test_48_what_does_not_match_is_said_of_both_sides(tree, run, tmp_path):
    tensors = build(recipe("digits").model).state_dict()
    save_file({f"odd.{name}": tensor for name, tensor in tensors.items()}, tmp_path / "odd.safetensors")
    with pytest.raises(CheckpointError, match=r"missing: .* unknown: odd\."):
        run(tree("d", ["a", "b"], 10), init=tmp_path / "odd.safetensors")


# ------------------------------------------------------------------------------------------- 50: what scripts save


@pytest.fixture
def weights(tiny_spec):
    """The tensors of a tiny model, under timm's names."""
    tensors = build(tiny_spec(img_size=8, embed_dim=64, num_heads=1), seed=3).state_dict()
    tensors["pos_embed"] = tensors.pop("pos_embed.weight")
    return tensors


def written(kind, tensors, path):
    """The tensors as that kind of script saves them."""
    match kind:
        case "namespace":  # DeiT's and MAE's own
            torch.save({"model": tensors, "epoch": 3, "args": argparse.Namespace(lr=1, betas=(0.9, 0.99))}, path)
        case "lightning":
            named = {f"model.{name}": tensor for name, tensor in tensors.items()}
            torch.save({"state_dict": named, "epoch": 1, "callbacks": {}, "hparams_name": "kwargs"}, path)
        case "optimiser":
            slots = {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 1e-3}]}
            torch.save({"model": tensors, "optimizer": slots}, path)
        case "misnamed":
            save_file(tensors, path)
        case "half":
            torch.save({name: tensor.half() for name, tensor in tensors.items()}, path)
    return path


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("namespace", "mae.pth"),
        ("lightning", "last.ckpt"),
        ("optimiser", "train.pt"),
        ("misnamed", "model.bin"),
        ("half", "h.pt"),
    ],
)
def test_50_what_training_scripts_save_is_read(kind, name, weights, tmp_path):
    """Case 50: options beside the tensors, a wrapper's prefix, an optimiser, a safetensors file under another name."""
    model = package.load(written(kind, weights, tmp_path / name))
    close = {"rtol": 0, "atol": 1e-3 if kind == "half" else 0}
    torch.testing.assert_close(model.state_dict()["head.weight"], weights["head.weight"], **close)
    assert next(model.parameters()).dtype == torch.float32


def _averaged(weights):
    return {"n_averaged": torch.tensor(7), **{f"module.{name}": tensor for name, tensor in weights.items()}}


def _with_a_loss(weights):
    return {"criterion.weight": torch.ones(9), **{f"model._orig_mod.{name}": each for name, each in weights.items()}}


def _head_beside(body):
    def wrapped(weights):
        return {name if "head" in name else f"{body}.{name}": tensor for name, tensor in weights.items()}

    return wrapped


@pytest.mark.parametrize(
    ("wrapped", "said"),
    [
        (_averaged, "left out, beside the model: n_averaged"),
        (_with_a_loss, "left out, beside the model: criterion.weight"),
        (_head_beside("backbone"), "names without the prefix backbone. of most of them"),
        (_head_beside("encoder"), "names without the prefix encoder. of most of them"),
    ],
)
def test_50_a_wrapper_around_most_tensors_is_taken_off_and_that_is_said(wrapped, said, weights, tmp_path):
    torch.save(wrapped(weights), tmp_path / "w.pt")
    model = package.load(tmp_path / "w.pt")
    assert said in model.notes
    torch.testing.assert_close(model.state_dict()["head.weight"], weights["head.weight"], rtol=0, atol=0)


def test_50_several_models_are_asked_for(weights, tmp_path):
    torch.save({"student": weights, "teacher": {n: t + 1 for n, t in weights.items()}}, tmp_path / "dino.pth")
    with pytest.raises(
        CheckpointError, match=r"several models: student, teacher; say which, as in .*dino\.pth#student"
    ):
        package.load(tmp_path / "dino.pth")
    teacher = package.load(f"{tmp_path / 'dino.pth'}#teacher")
    assert torch.equal(teacher.state_dict()["head.bias"], weights["head.bias"] + 1)


def test_50_the_command_line_says_what_it_read(vitlab, weights, tmp_path):
    written("lightning", weights, tmp_path / "last.ckpt")
    answer = vitlab("convert", tmp_path / "last.ckpt", "--out", tmp_path / "converted")
    assert answer.code == 0
    assert "names without their common prefix model." in answer.out
    assert "assumed, as no tensor tells: 1 attention head of 64 channels" in answer.out
    again = vitlab("convert", tmp_path / "last.ckpt", "--out", tmp_path / "converted")
    assert (again.code, "is not empty" in again.err) == (2, True)
    picture = tmp_path / "a.png"
    Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(picture)
    found = json.loads(vitlab("predict", tmp_path / "converted", picture, "--json").out)
    assert [row["name"] for row in found["predictions"][0]["classes"]] != []
