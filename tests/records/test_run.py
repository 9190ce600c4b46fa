"""The records of a run."""

import pytest

from tests.records.checks import check_record
from vitlab.base.errors import DataError, SpecError
from vitlab.base.identity import id_of
from vitlab.base.metric import Metric
from vitlab.base.spec import from_dict
from vitlab.records.data import DataRecord, SplitRecord
from vitlab.records.run import Environment, Result, RunDeclaration, read_result

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


NOW = "2026-11-21T07:11:22+00:00"


def test_what_it_ran_on(tmp_path):
    environment = Environment({"cpu": "any"}, None, "Linux", "3.11", {"torch": "2"}, None, "vitlab", NOW, {"a": 1}, 3)
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


SETTINGS = {"data": {"name": "folder", "path": "here"}, "seed": 3, "start": {"name": "checkpoint", "checksum": "c"}}


def test_an_id_that_is_not_of_its_settings_is_damage():
    own = id_of({"data": {"name": "folder"}, "seed": 3, "start": {"name": "checkpoint", "checksum": "c"}})
    assert RunDeclaration("", own, SETTINGS, {}, "", (), ("data.path",)).id == own
    with pytest.raises(SpecError, match="id='0123': is not that of its spec, which was changed"):
        RunDeclaration("", "0123", SETTINGS, {}, "", (), ("data.path",))
    assert RunDeclaration("", "0123", SETTINGS, {}, "").id == "0123"  # before runs said what is whereabouts


def test_it_tells_in_what_it_is_another_run():
    declared = RunDeclaration("", "", SETTINGS, {}, "")
    assert declared.unlike(SETTINGS) == ""
    assert declared.unlike(SETTINGS | {"data": {"name": "folder", "path": "there"}}) == ""
    assert declared.unlike(SETTINGS | {"start": {"name": "checkpoint", "checksum": None}}) == ""
    assert declared.unlike(SETTINGS | {"start": {"name": "checkpoint", "checksum": "d"}}) == "  start.checksum d → c\n"
    assert declared.unlike(SETTINGS | {"seed": 4}) == "  seed 4 → 3\n"
    assert declared.unlike({"seed": 3}) != ""


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"choices": {"kernel": "quick"}}, r"choices\.kernel='quick': legal: fused, explicit"),
        ({"choices": {"threads": 0}}, r"choices\.threads=0: expected a positive whole number"),
        ({"choices": {"compiled": 1}}, r"choices\.compiled=1: expected true or false"),
        ({"hardware": {"cpu": {"a": 1}}}, r"hardware\.cpu={'a': 1}: expected a text or a number"),
        ({"versions": {"torch": 2}}, r"versions\.torch=2: expected text"),
        ({"started": "yesterday"}, "started='yesterday': expected a date and time"),
        ({"stacked_runs": 0}, "stacked_runs=0: must be 1 or more"),
    ],
)
def test_what_no_run_ran_on_is_damage(values, said):
    with pytest.raises(SpecError, match=said):
        from_dict(Environment, values)


def test_a_share_of_more_than_all_is_damage(tmp_path):
    declared = RunDeclaration("", "", {}, {"test_top1": TOP1, "test_distance": DISTANCE}, "test_top1")
    assert read_result(tmp_path, declared) is None
    Result("finished", None, {"test_top1": 1.0, "test_distance": 9.5}).write(tmp_path)
    assert read_result(tmp_path, declared).metrics["test_distance"] == 9.5
    Result("finished", None, {"test_top1": 98.5}).write(tmp_path)
    with pytest.raises(DataError, match=r"result\.json is damaged: metrics\.test_top1=98\.5: expected a fraction"):
        read_result(tmp_path, declared)


def test_another_kind_of_record_is_none_of_this_kind(tmp_path):
    DataRecord("exact", SplitRecord(9), SplitRecord(1), SplitRecord(4)).write(tmp_path)
    (tmp_path / "data.json").rename(tmp_path / "env.json")
    with pytest.raises(DataError, match=r"env\.json is damaged: it is another record, of classes, found"):
        Environment.read(tmp_path)


def test_a_result_of_another_run_is_none_of_this_one(tmp_path):
    declared = RunDeclaration("", "0123", {}, {}, "")
    Result("finished", None, {}, "0123").write(tmp_path)
    assert read_result(tmp_path, declared).status == "finished"
    Result("finished", None, {}, "4567").write(tmp_path)
    with pytest.raises(DataError, match=r"result\.json is damaged: run='4567': it is of another run"):
        read_result(tmp_path, declared)


def test_a_number_that_nothing_measures_is_damage():
    for value in (1e300, float("inf"), 10**400):
        with pytest.raises(SpecError, match=r"metrics\.loss=.*: expected a number, or null"):
            Result("finished", None, {"loss": value})
