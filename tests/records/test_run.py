"""The records of a run."""

import pytest

from tests.records.checks import check_record
from vitlab.base.errors import DataError, SpecError
from vitlab.base.metric import Metric
from vitlab.records.data import DataRecord, SplitRecord
from vitlab.records.run import Environment, Result, RunDeclaration

TOP1 = Metric("top1", "top-1", "fraction", "higher", counts_right=True)
DISTANCE = Metric("distance", "distance", "px", "lower")


def test_what_was_asked_for(tmp_path):
    metrics = {"val_top1": TOP1, "test_top1": TOP1}
    declared = RunDeclaration("digits", "0123", {"model": {"depth": 2}}, metrics, "val_top1", ("head.bias",))
    check_record(declared, tmp_path, ["recipe", "id", "spec"], ["recipe", "drawn", "selects"])


def test_a_run_of_an_earlier_vitlab_is_told_to_be_one(tmp_path):
    """Before metrics stood in the record."""
    (tmp_path / "spec.json").write_text('{"schema": 1, "recipe": "digits", "id": "0123", "spec": {}}')
    with pytest.raises(DataError, match=r"is from an earlier vitlab: schema 1; this one reads 2 and later"):
        RunDeclaration.read(tmp_path)


def test_its_score_in_words_is_of_the_metric_that_selects():
    declared = RunDeclaration("", "", {}, {"val_distance": DISTANCE, "val_top1": TOP1}, "val_distance")
    assert declared.told({"test_distance": 2.5, "val_distance": 3.5, "test_top1": 0.5}) == "test distance 2.5000"
    assert declared.told({"val_distance": 3.5}) == "val distance 3.5000"
    assert declared.told({"test_distance": None}) == ""
    assert [declared.scored_on({name: 2.5}) for name in ("test_distance", "val_distance", "test_top1")] == [
        "test",
        "val",
        None,
    ]
    accurate = RunDeclaration("", "", {}, {"val_top1": TOP1}, "val_top1")
    assert accurate.told({"test_top1": 0.98765}) == "test top-1 98.77 %"


def test_what_it_ran_on(tmp_path):
    environment = Environment({"cpu": "any"}, None, "Linux", "3.11", {"torch": "2"}, None, "vitlab", "now", {"a": 1}, 3)
    check_record(environment, tmp_path, [], ["stacked_runs", "os"])


def test_its_pictures(tmp_path):
    record = DataRecord("exact", SplitRecord(90), SplitRecord(10, 1, ("a.png",)), SplitRecord(40), ("cat", "größer"))
    check_record(record, tmp_path, ["order", "train", "val", "test"], ["train", "classes"])
    assert record.split("val").names == ("a.png",)
    assert (record.split("train").images, record.split("test").images) == (90, 40)


def test_how_it_ended(tmp_path):
    check_record(Result("failed", "no memory", {"test_loss": None, "steps": 3}), tmp_path, ["status"], ["status"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", True, [1.0]])
def test_a_figure_is_a_number_or_was_not_measured(tmp_path, value):
    with pytest.raises(SpecError, match=r"metrics\.test_loss=.*: expected a number, or null"):
        Result("finished", None, {"test_loss": value})


def test_a_status_that_there_is_not(tmp_path):
    (tmp_path / "result.json").write_text('{"schema": 1, "status": "done", "metrics": {}}')
    with pytest.raises(DataError, match=r"status='done': legal: finished, failed, interrupted"):
        Result.read(tmp_path)
