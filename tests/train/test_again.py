"""A finished run, measured again."""

from dataclasses import replace

import pytest

from vitlab.base.errors import DataError
from vitlab.data.sets import digits as digits_set
from vitlab.train.again import evaluate_run


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
def test_the_recorded_score_comes_out_again(tiny_run, run_tiny, tmp_path, precision):
    """In the run's own precision: bf16 rounds a close call the way it did then."""
    metrics = run_tiny(tiny_run({"optim.ema": 0.5}), tmp_path, precision=precision)["metrics"]
    again = evaluate_run(tmp_path, None, "cpu")
    assert again["images"] == 360
    assert (again["test_top1"], again["test_top5"]) == (metrics["test_top1"], metrics["test_top5"])
    assert again["test_loss"] == pytest.approx(metrics["test_loss"], rel=1e-6)


def test_another_set_is_normalised_as_in_training(tiny_run, run_tiny, tmp_path):
    metrics = run_tiny(tiny_run(), tmp_path)["metrics"]
    other = digits_set.Spec(mean=(0.9,), std=(0.1,))
    assert evaluate_run(tmp_path, other, "cpu")["test_loss"] == pytest.approx(metrics["test_loss"], rel=1e-6)


def test_other_classes_are_refused(tiny_run, run_tiny, tmp_path, digits, monkeypatch):
    run_tiny(tiny_run(steps=1), tmp_path)
    renamed = replace(digits, class_names=tuple("abcdefghij"))
    monkeypatch.setattr(digits_set.Spec, "load", lambda self: renamed)
    with pytest.raises(DataError, match="classes"):
        evaluate_run(tmp_path, None, "cpu")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"spec\.json does not exist"):
        evaluate_run(tmp_path, None, "cpu")
