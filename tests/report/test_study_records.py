import re
import shutil
from dataclasses import replace

from markupsafe import escape

from tests.report.conftest import change
from tests.report.studies import run_folder, write_study
from vitlab.records import history
from vitlab.report.study import study_page
from vitlab.report.study_records import read_study as read_computed
from vitlab.study.outcome import outcome_in
from vitlab.study.study_dir import StudyDir


def read_study(folder):
    study_dir = StudyDir(folder)
    return read_computed(study_dir, outcome_in(study_dir))


def test_every_history_is_read_once(tmp_path, monkeypatch):
    read, real = [], history.read_history
    monkeypatch.setattr(history, "read_history", lambda folder, metrics: read.append(folder) or real(folder, metrics))
    study = read_study(write_study(tmp_path / "study", cells=3, seeds=2))
    assert len(read) == len(set(read)) == 6
    assert all(run.history for run in study.begun)


def test_the_records_of_a_study(tmp_path):
    study = read_study(write_study(tmp_path / "a study", cells=2, seeds=2))
    assert study.name == "a study"
    assert {name: list(runs) for name, runs in study.runs.items()} == {
        "baseline": [0, 1],
        "position embedding none": [0, 1],
    }
    assert [run.spec["seed"] for run in study.finished(study.outcome.cells[1])] == [0, 1]
    assert len(study.begun) == 4
    assert study.executions["baseline"][0].steps == 328
    assert study.study_command == "vitlab study 'a study/plan.json' --out repeat --device cpu --precision bf16"


def test_what_would_decide_more_has_a_command(tmp_path):
    study = read_study(write_study(tmp_path / "a study", cells=2, seeds=2))
    assert study.command_to_decide is None
    leaning = replace(study.outcome.comparisons[0], seeds_needed=9)
    study = replace(study, outcome=replace(study.outcome, comparisons=(leaning,)))
    assert study.command_to_decide == "vitlab study 'a study/plan.json' --out 'a study' --seeds 9"
    shown = re.sub(r"</?span>", "", study_page(study, tmp_path / "report.html").html)
    assert f"<code>{escape(study.command_to_decide)}</code>" in shown


def test_a_run_is_repeated_with_the_choices_that_were_made(tmp_path):
    folder = write_study(tmp_path / "study", cells=1, seeds=2)
    choices = {"device": "cuda", "precision": "bf16", "kernel": "fused", "threads": None, "micro_batch": 64}
    change(run_folder(folder, "baseline", 0) / "env.json", choices=choices | {"compiled": True, "deterministic": False})
    study = read_study(folder)
    assert study.command(study.outcome.cells[0]) == (
        "vitlab train study/runs/baseline/seed-0/spec.json --out repeat "
        "--device cuda --precision bf16 --kernel fused --compile"
    )


def test_a_run_that_has_not_begun_has_no_record_and_no_command(tmp_path):
    folder = write_study(tmp_path / "study", cells=1, seeds=2)
    shutil.rmtree(run_folder(folder, "baseline", 0))
    study = read_study(folder)
    assert list(study.runs["baseline"]) == [1]
    assert "seed-1" in str(study.command(study.outcome.cells[0]))
    shutil.rmtree(run_folder(folder, "baseline", 1))
    study = read_study(folder)
    assert (study.command(study.outcome.cells[0]), study.begun) == (None, [])
