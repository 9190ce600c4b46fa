"""What is known of one run in training."""

import pytest

from vitlab.base.files import append_line
from vitlab.train.run import Run
from vitlab.train.run_dir.run_dir import RunDir


@pytest.fixture
def run(tiny_run, tmp_path):
    """`run(settings)`: a run of which nothing is known yet."""
    return lambda settings={}: Run(RunDir(tmp_path, tiny_run(settings)), 0)


def test_the_best_evaluation_is_that_of_the_metric_that_selects(run):
    best = run()
    scores = [0.5, 0.75, 0.75, 0.25, 0.8]
    noted = [best.note_if_best({"step": 10 * at, "val_top1": score}) for at, score in enumerate(scores)]
    assert noted == [True, True, False, False, True]
    assert (best.best_step, best.selection[0]) == (40, "val_top1")


def test_without_a_value_there_is_none(run):
    unknown = run()
    assert not unknown.note_if_best({"step": 1, "val_loss": 0.5})
    assert not unknown.note_if_best({"step": 1, "val_top1": None})
    assert unknown.best_step is None


def test_of_a_metric_that_is_better_lower_the_lowest_is_best(run, monkeypatch):
    descending = run()
    monkeypatch.setattr(type(descending.spec.task), "selects", "loss")
    noted = [descending.note_if_best({"step": at, "val_loss": loss}) for at, loss in enumerate([0.5, 0.25, 0.75])]
    assert noted == [True, True, False]


@pytest.mark.parametrize(("weights", "kept"), [("last", 12), ("best", 8)])
def test_the_line_that_is_kept_is_that_of_the_weights(run, tmp_path, weights, kept):
    trained = run({"weights": weights})
    for step, score in ((4, 0.5), (8, 0.75), (12, 0.25)):
        append_line(tmp_path / "metrics.jsonl", {"step": step, "val_top1": score})
        trained.note_if_best({"step": step, "val_top1": score})
    assert trained.kept_line()["step"] == kept


def test_a_run_has_failed_once_a_step_is_known(run):
    failing = run()
    assert not failing.failed
    failing.failed_at = 0
    assert failing.failed
