"""A checkpoint, measured again."""

import shutil
from dataclasses import replace

import pytest

from tests.checkpoints.saving import meta_of, save_model
from vitlab import api
from vitlab.base.errors import CheckpointError, DataError, UserError
from vitlab.checkpoints import native
from vitlab.data.sets import digits as digits_set
from vitlab.evaluate._checkpoint import evaluate_checkpoint
from vitlab.models.vit import build


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
def test_the_recorded_score_comes_out_again(tiny_run, run_tiny, tmp_path, precision):
    """In the run's own precision: bf16 rounds a close call the way it did then."""
    metrics = run_tiny(tiny_run({"optim.ema": 0.5}), tmp_path, precision=precision)["metrics"]
    score = api.evaluate(tmp_path, device="cpu")
    assert score.images == 360
    assert score.values.keys() == score.metrics.keys()
    assert (score.values["test_top1"], score.values["test_top5"]) == (metrics["test_top1"], metrics["test_top5"])
    assert score.values["test_loss"] == pytest.approx(metrics["test_loss"], rel=1e-6)


def test_a_checkpoint_folder_alone_is_enough(tiny_run, run_tiny, tmp_path):
    """Copied elsewhere, away from its run: model, task, preprocessing, class names and data are in it."""
    metrics = run_tiny(tiny_run({"task.label_smoothing": 0.2}), tmp_path / "run")["metrics"]
    shutil.copytree(native.latest(tmp_path / "run/checkpoint"), tmp_path / "alone/elsewhere/copy")
    score = api.evaluate(tmp_path / "alone/elsewhere/copy", device="cpu")
    assert score.values["test_loss"] == pytest.approx(metrics["test_loss"], rel=1e-6)
    assert api.evaluate(tmp_path / "alone/elsewhere/copy", "digits", "cpu").values == score.values


def test_a_checkpoint_without_data_asks_for_some(tiny_spec, tmp_path):
    path = save_model(tmp_path, build(tiny_spec()), meta_of(tiny_spec()))
    with pytest.raises(UserError, match="name a set with --data"):
        evaluate_checkpoint(path)


@pytest.mark.slow
def test_another_set_is_normalised_as_in_training(tiny_run, run_tiny, tmp_path):
    metrics = run_tiny(tiny_run(), tmp_path)["metrics"]
    other = digits_set.Spec(mean=(0.9,), std=(0.1,))
    again = evaluate_checkpoint(tmp_path, other, "cpu").values
    assert again["test_loss"] == pytest.approx(metrics["test_loss"], rel=1e-6)


def test_other_classes_are_refused(tiny_run, run_tiny, tmp_path, digits, monkeypatch):
    run_tiny(tiny_run(steps=1), tmp_path)
    renamed = replace(digits, class_names=tuple("abcdefghij"))
    monkeypatch.setattr(digits_set.Spec, "load", lambda self: renamed)
    with pytest.raises(DataError, match="classes"):
        evaluate_checkpoint(tmp_path, device="cpu")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds no checkpoint"):
        evaluate_checkpoint(tmp_path)


def test_weights_that_only_number_their_classes_take_the_datas_in_order(tmp_path, tiny_spec, monkeypatch):
    """As published weights do: the third folder by name is class 2."""
    from tests.recipes.conftest import small_pictures
    from vitlab.preprocessing import Preprocessing

    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    spec = tiny_spec(num_classes=3)
    before = Preprocessing(spec.img_size, "crop", (), (0.5,) * 3, (0.5,) * 3, tuple("012"))
    folder = save_model(tmp_path / "checkpoint", build(spec), meta_of(spec, before))
    score = evaluate_checkpoint(folder, str(small_pictures(tmp_path / "pictures")))
    assert score.classes == score.known == ("ape", "bee", "cow")
    assert any(note.startswith("classes matched by their order") for note in score.notes)
    named = save_model(
        tmp_path / "named", build(spec), meta_of(spec, replace(before, class_names=("ant", "bee", "cat")))
    )
    with pytest.raises(DataError, match="it knows ant, bee, cat"):
        evaluate_checkpoint(named, str(tmp_path / "pictures"))
