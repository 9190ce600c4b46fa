"""Which evaluations are due, on which images, and what is recorded of them."""

from dataclasses import replace

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.data.stream import RowStream
from vitlab.evaluate import scores
from vitlab.evaluate._base import Evaluation
from vitlab.processes import ALONE
from vitlab.train import early_look
from vitlab.train.evaluations import Evaluations
from vitlab.train.machine.choices import Choices
from vitlab.train.split import split_training


@pytest.fixture
def evaluations_of(loop_of, digits):
    """`evaluations_of(spec, seeds=(0, 1))`: those of a loop over the digits."""

    def make(spec, seeds=(0,), images=digits):
        loop = loop_of(spec, seeds)
        indices, val = split_training(spec, digits)
        specs = [replace(spec, seed=seed) for seed in seeds]
        return Evaluations(loop, specs, images, indices, val, Choices(precision="fp64"), ALONE)

    return make


def due_after(evaluations, steps):
    """The steps after which one is due."""
    due = []
    for step in range(1, steps + 1):
        evaluations.loop.state.step = step
        if evaluations.due():
            due.append(step)
    return due


def test_they_are_due_every_so_many_epochs_and_at_the_end(tiny_run, evaluations_of):
    """80.875 steps an epoch: a twentieth is 4.04 steps."""
    assert due_after(evaluations_of(tiny_run()), 12) == [5, 9, 12]
    assert due_after(evaluations_of(tiny_run(evaluate_every=10.0)), 12) == [12]


def test_an_evaluator_may_measure_more_rarely_than_the_others(tiny_run, evaluations_of):
    often = {"name": "scores", "split": "val", "when": "along"}
    rarely = {"name": "scores", "split": "train", "when": "along", "every": 0.1}
    evaluations = evaluations_of(tiny_run(evaluators=[often, rarely, "scores"]))
    measured = {}
    for step in (5, 9, 12):
        evaluations.loop.state.step = step
        (values,) = evaluations.along()
        measured[step] = {name.partition("_")[0] for name in values}
    assert measured == {5: {"val"}, 9: {"val", "train"}, 12: {"val", "train"}}


def test_each_split_has_its_pictures(tiny_run, evaluations_of, digits):
    evaluations = evaluations_of(tiny_run())
    assert torch.equal(evaluations.pictures("train").labels, digits.train.labels[evaluations.indices])
    assert len(evaluations.pictures("val")) == 143
    assert len(evaluations.pictures("test")) == 360


@pytest.mark.parametrize("reading", [{"name": "scores", "split": "train"}, "few_shot"], ids=["its split", "its shots"])
def test_a_stream_cannot_be_evaluated_and_that_is_said_before_the_training(reading, tiny_run, evaluations_of, digits):
    stream = RowStream(rows=None, frame=None, samples_per_epoch=100, buffer=10)
    with pytest.raises(SpecError, match=r"reads the training split, and .* a stream cannot be evaluated"):
        evaluations_of(tiny_run(evaluators=[reading], weights="last"), images=replace(digits, train=stream))


def test_without_a_validation_split_nothing_is_measured_on_it(tiny_run, evaluations_of):
    evaluations = evaluations_of(tiny_run(val_fraction=0.0))
    assert evaluations.along() == [{}]


def test_every_run_has_its_own_values_and_the_end_is_shown(tiny_run, evaluations_of):
    evaluations = evaluations_of(tiny_run(), seeds=(0, 1))
    shown = []
    first, second = evaluations.at_end(lambda evaluator, evaluation: shown.append((evaluator.split, evaluation)))
    assert first.keys() == second.keys() == {"test_loss", "test_top1", "test_top5", "test_balanced_accuracy"}
    assert first["test_loss"] != second["test_loss"]
    ((split, evaluation),) = shown
    assert (split, evaluation.logits.shape) == ("test", (2, 360, 10))


def test_no_number_fails_a_run_only_where_it_is_the_tasks(tiny_run, evaluations_of, monkeypatch):
    evaluations = evaluations_of(tiny_run())
    odd = Evaluation([{"loss": float("inf"), "sharpness": float("nan")}])
    declared = [Metric(name, name, "", "lower") for name in odd.metrics[0]]
    monkeypatch.setattr(scores.Spec, "evaluate", lambda self, subject: odd)
    monkeypatch.setattr(scores.Spec, "metrics", lambda self, task, model: declared)
    evaluations.loop.state.step = evaluations.loop.total_steps
    assert evaluations.along() == [{"val_loss": float("inf"), "val_sharpness": None}]


ALL = {"loss": 1.0, "top1": 1.0, "top5": 1.0, "balanced_accuracy": 1.0}


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({**ALL, "more": 1.0}, "more was measured and is not declared"),
        ({name: value for name, value in ALL.items() if name != "top5"}, "top5 is declared and was not measured"),
    ],
)
def test_what_is_measured_is_what_is_declared(tiny_run, evaluations_of, monkeypatch, measured, said):
    evaluations = evaluations_of(tiny_run())
    monkeypatch.setattr(scores.Spec, "evaluate", lambda self, subject: Evaluation([measured]))
    with pytest.raises(SpecError, match=f"evaluators: scores on task=classify: {said}"):
        evaluations.at_end(lambda *_: None)


def test_an_early_look_sees_some_of_the_validation_images_and_changes_nothing(tiny_run, evaluations_of, monkeypatch):
    evaluations = evaluations_of(tiny_run(evaluate_every=10.0))
    before = evaluations.loop.state.evaluated(0)["head.weight"].clone()
    (few,) = evaluations.look(20)
    (all_of_them,) = evaluations.look(10**6)
    whole = scores.Spec(split="val").evaluate(evaluations.subject).metrics[0]
    assert all_of_them["val_loss"] == pytest.approx(whole["loss"], rel=1e-9)
    assert 20 * few["val_top1"] == pytest.approx(round(20 * few["val_top1"]))
    assert torch.equal(evaluations.loop.state.evaluated(0)["head.weight"], before)


@pytest.mark.parametrize(("waited", "every", "due"), [(30, 10.0, True), (30, 0.05, False), (3, 10.0, False)])
def test_it_comes_once_and_where_the_next_evaluation_is_far(tiny_run, evaluations_of, monkeypatch, waited, every, due):
    """After a step of so many seconds."""
    clock = iter([0.0, float(waited), float(waited)])
    evaluations = evaluations_of(tiny_run(evaluate_every=every))
    monkeypatch.setattr(early_look.time, "monotonic", lambda: next(clock))
    early = early_look.EarlyLook(evaluations.loop, evaluations, ALONE)
    evaluations.loop.state.step = 4  # of 4.04 to the next evaluation of a twentieth of an epoch
    assert early.due() is due
    assert early.due() is False
