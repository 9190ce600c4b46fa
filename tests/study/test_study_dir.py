from dataclasses import replace

import pytest

from vitlab.base.errors import DataError, UserError
from vitlab.base.files import write_json
from vitlab.base.metric import Metric
from vitlab.records.execution import CellCosts, CellExecution
from vitlab.records.plan import CandidateRecord, CellRecord, PlanRecord
from vitlab.records.run import Result, RunDeclaration
from vitlab.study.plan import plan
from vitlab.study.spec import factor
from vitlab.study.study_dir import StudyDir

TOP1 = Metric("top1", "top-1", "fraction", "higher")
METRICS = {"val_top1": TOP1, "test_top1": TOP1}
PLAN = PlanRecord("abc", "Which?", "listed", "test_top1", "steps", (0,), None, 1, {}, (), {}, METRICS, "val_top1")


def cell(folder="plain"):
    return CellRecord(folder, folder, {}, {}, None, "", 1, 1, 1, 1, (0,), (candidate(),))


def candidate(folder=""):
    return CandidateRecord(folder, folder, {"lr": 0.1})


def begin(run, **other):
    RunDeclaration("", "", {**run.spec, **other}, {}, "val_top1").write(run.place)


def end(run, status, reason=None, **metrics):
    Result(status, reason, metrics).write(run.place)


@pytest.fixture
def folder(tmp_path):
    found = StudyDir(tmp_path / "study")
    found.claim(PLAN)
    return found


def test_a_new_folder_is_taken(tmp_path):
    found = StudyDir(tmp_path / "study")
    assert not found.is_study
    found.claim(PLAN)
    assert found.is_study
    assert found.plan() == PLAN


def test_the_same_study_may_take_it_again_with_more_seeds(folder):
    folder.claim(replace(PLAN, seeds=(0, 1)))
    assert folder.plan().seeds == (0, 1)


def test_another_study_is_refused_and_changes_nothing(folder):
    with pytest.raises(UserError, match=r"--out .*study: the study there has other settings:\n  see its plan\.json"):
        folder.claim(replace(PLAN, id="other", seeds=(0, 1)))
    assert folder.plan().seeds == (0,)


def test_what_differs_in_another_study_is_named(tmp_path):
    StudyDir(tmp_path).claim(replace(PLAN, study={"question": "Which?"}))
    with pytest.raises(UserError, match=r"other settings:\n  question Which\? → And now\?\n"):
        StudyDir(tmp_path).claim(replace(PLAN, id="other", study={"question": "And now?"}))


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"--out .*: the folder is not empty and is not a study"):
        StudyDir(tmp_path).claim(PLAN)
    assert not (tmp_path / "plan.json").exists()


def test_hidden_files_take_no_folder(tmp_path):
    (tmp_path / ".lock").touch()
    StudyDir(tmp_path).claim(PLAN)


@pytest.mark.parametrize("name", ["id", "cells", "seeds", "metric", "study"])
def test_a_damaged_plan_is_told(folder, name):
    values = {key: value for key, value in PLAN.values().items() if key != name}
    write_json(folder.path / "plan.json", values, PlanRecord.schema)
    with pytest.raises(DataError, match=f"plan.json is damaged: {name} is missing"):
        folder.plan()


def test_how_runs_ended(folder):
    run = folder.run(cell(), candidate(""), 3)
    assert run == (folder.path / "runs" / "plain" / "seed-3", {"lr": 0.1, "seed": 3})
    assert folder.status(run) == (None, None)
    begin(run)
    assert folder.status(run) == (None, None)
    end(run, "interrupted", "signal 15", steps=3)
    assert (folder.status(run), folder.metrics(run)) == (("interrupted", "signal 15"), {"steps": 3})
    end(run, "finished")
    assert folder.status(run) == ("finished", None)


@pytest.mark.parametrize(
    ("other", "said"), [({"seed": 4}, "seed 3 → 4"), ({"lr": 0.2, "depth": 2}, "lr 0.1 → 0.2; depth null → 2")]
)
def test_another_run_in_a_run_s_place_does_not_count(folder, other, said):
    run = folder.run(cell(), candidate(""), 3)
    begin(run, **other)
    end(run, "finished", test_top1=0.9)
    assert folder.status(run) == ("failed", f"another run stands in its folder, move it away: {said}")
    assert folder.metrics(run) == {}


def test_a_result_of_nobody_does_not_count(folder):
    run = folder.run(cell(), candidate(""), 3)
    end(run, "finished", test_top1=0.9)
    assert folder.status(run) == ("failed", f"{run.place} has a result.json and no spec.json")
    assert folder.metrics(run) == {}


def test_data_that_have_moved_and_a_checksum_that_was_found_later_make_no_other_run(folder):
    spec = {"data": {"name": "folder", "path": "here"}, "start": {"name": "checkpoint", "path": "a", "checksum": None}}
    run = folder.run(cell(), CandidateRecord("", "", spec), 3)
    moved = {"data": {"name": "folder", "path": "there"}, "start": {"name": "checkpoint", "path": "b", "checksum": "c"}}
    begin(run, **moved)
    assert folder.status(run) == (None, None)
    begin(run, **moved | {"data": {"name": "folder", "path": "here", "class_depth": 2}})
    assert folder.status(run)[0] == "failed"


def test_a_run_without_a_record_has_the_reason_of_the_study(folder):
    runs = [folder.run(cell(), candidate("0.1"), seed) for seed in (0, 1)]
    folder.note_failure(runs[0].place, "no memory")
    folder.note_failure(runs[1].place, "no data")
    assert folder.failures() == {"plain/0.1/seed-0": "no memory", "plain/0.1/seed-1": "no data"}
    assert [folder.status(run) for run in runs] == [("failed", "no memory"), ("failed", "no data")]
    folder.forget_failures()
    folder.forget_failures()
    assert folder.status(runs[0]) == (None, None)


@pytest.mark.parametrize(
    ("status", "found"),
    [("interrupted", ("failed", "killed")), ("finished", ("finished", None)), ("failed", ("failed", None))],
)
def test_what_the_study_noted_is_newer_than_an_interruption_and_older_than_an_end(folder, status, found):
    run = folder.run(cell(), candidate(""), 0)
    begin(run)
    end(run, status)
    folder.note_failure(run.place, "killed")
    assert folder.status(run) == found


def test_how_cells_are_trained_is_kept_by_cell_and_kind_of_host(folder):
    def way(called):
        return CellExecution({}, called, {}, None)

    laptop, server = {"cpu": "small"}, {"cpu": "large"}
    assert folder.executions(laptop) == {}
    folder.note_executions(laptop, {"a": way("1")})
    folder.note_executions(laptop, {"b": way("2"), "a": way("3")})
    assert folder.executions(laptop) == {"a": way("3"), "b": way("2")}
    assert folder.executions(server) == {}
    folder.note_executions(server, {"a": way("4")})
    assert folder.executions(laptop)["a"] == way("3")
    costs = CellCosts((0.1, 0.2), (0.01, 0.02), (1.0, 0.9))
    assert folder.costs(server) == {}
    folder.note_costs(server, {"a": costs})
    assert (folder.costs(server), folder.costs(laptop)) == ({"a": costs}, {})
    assert folder.executions(server) == {"a": way("4")}


# -------------------------------------------------------------------------------------------------------------- tuning


@pytest.fixture
def tuned(study_of, records):
    """Records of a study with three values and two tuning seeds; its one cell."""
    found = records(study_of({"plain": {}}, tune=factor("optim.lr", 0.1, 0.2, 0.3), tune_seeds=2, num_seeds=3))
    found.cell = found.plan.cells[0]
    return found


def test_a_cell_that_is_not_tuned_has_its_only_run(study_of, records):
    found = records(study_of({"plain": {}}))
    assert found.folder.chosen(found.plan, found.plan.cells[0]).name == ""


def test_the_best_mean_on_the_validation_split_is_chosen(tuned):
    """0.2 has the best single run, 0.3 the best test scores; 0.1 the best mean of validation."""
    for value, scores in (("0.1", (0.6, 0.7)), ("0.2", (0.8, 0.4)), ("0.3", (0.5, 0.6))):
        for seed, score in enumerate(scores):
            test = 0.99 if value == "0.3" else 0.1
            tuned.run(
                "plain", seed, value=value, val_top1=score, test_top1=test, test_loss=1 - test, val_loss=9.0 - test
            )
    assert tuned.folder.chosen(tuned.plan, tuned.cell).name == "0.1"
    scores = [(each.name, found) for each, found in tuned.folder.tuning_scores(tuned.plan, tuned.cell)]
    assert scores == [("0.1", [0.6, 0.7]), ("0.2", [0.8, 0.4]), ("0.3", [0.5, 0.6])]


def test_the_first_of_equals_is_chosen(tuned):
    for value in ("0.2", "0.3", "0.1"):
        for seed in (0, 1):
            tuned.run("plain", seed, value=value, val_top1=0.5)
    assert tuned.folder.chosen(tuned.plan, tuned.cell).name == "0.1"


def test_a_value_without_all_its_tuning_runs_is_not_chosen(tuned):
    tuned.run("plain", 0, value="0.3", val_top1=0.9)
    tuned.run("plain", 1, "failed", value="0.3", reason="diverged", steps=3)
    assert tuned.folder.chosen(tuned.plan, tuned.cell) is None
    for seed in (0, 1):
        tuned.run("plain", seed, value="0.1", val_top1=0.2)
    assert tuned.folder.chosen(tuned.plan, tuned.cell).name == "0.1"


def test_other_seeds_have_no_say(tuned):
    for value, third in (("0.1", 0.1), ("0.2", 0.9)):
        for seed, score in enumerate((0.6, 0.6, third)):
            tuned.run("plain", seed, value=value, val_top1=score)
    assert tuned.folder.chosen(tuned.plan, tuned.cell).name == "0.1"


def test_a_candidate_is_found_where_it_was_planned(study_of, tmp_path):
    record = plan(study_of({"plain": {}}, tune=factor("optim.lr", 0.1, 0.2))).as_record()
    run = StudyDir(tmp_path).run(record.cells[0], record.cells[0].candidates[1], 4)
    assert run.place == tmp_path / "runs" / "plain" / "0.2" / "seed-4"


def test_seeds_that_are_added_after_a_look_are_noted(study_of, tmp_path, records):
    """Of the baseline alone, too: with verdicts it gets more."""
    cells = {"plain": {}, "a": {"optim.lr": 0.1}, "b": {"optim.lr": 0.2}}
    folder = StudyDir(tmp_path / "S")
    few, more = (plan(study_of(cells, num_seeds=6, verdicts=verdicts)).as_record() for verdicts in (False, True))
    folder.claim(few)
    folder.claim(few)
    assert folder.plan().looks == ()
    (folder.path / "study.json").write_text("{}")  # the results have been seen
    folder.claim(more)
    assert folder.plan().looks == (6,)
    folder.claim(more)
    assert folder.plan().looks == (6,)
