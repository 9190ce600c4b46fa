import json
import shutil

import pytest

from tests.report.studies import write_study
from vitlab import api


@pytest.mark.slow
def test_the_page_is_written_beside_the_run(vitlab, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    answer = vitlab("report", run, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == {"report": str(run / "report.html")}
    assert "<html" in (run / "report.html").read_text()


@pytest.mark.slow
def test_or_where_it_is_asked_for(vitlab, finished, tmp_path):
    answer = vitlab("report", finished, "--out", tmp_path / "page.html")
    assert answer.code == 0
    assert str(tmp_path / "page.html") in answer.out
    assert (tmp_path / "page.html").exists()


@pytest.mark.slow
def test_a_study(vitlab, tmp_path):
    study = write_study(tmp_path / "study", cells=2, seeds=2)
    answer = vitlab("report", study)
    assert answer.code == 0
    assert answer.out.endswith(f"report: {study / 'report.html'}\n")
    assert all(sentence in answer.out for sentence in ["What does each part do?", *api.answers(api.outcome(study))])
    assert "What does each part do?" in (study / "report.html").read_text()


@pytest.mark.slow
def test_two_runs_side_by_side(vitlab, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "other")
    answer = vitlab("report", finished, run, "--out", tmp_path / "both.html", "--json")
    assert json.loads(answer.out) == {"report": str(tmp_path / "both.html")}
    assert "run and other" in (tmp_path / "both.html").read_text()


def test_a_study_and_a_run(vitlab, finished, tmp_path):
    study = write_study(tmp_path / "study", cells=2, seeds=2)
    answer = vitlab("report", finished, study)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(f"vitlab: {study} is a study and {finished} is a run: give two studies or two runs\n")


def test_a_folder_without_either(vitlab, tmp_path):
    answer = vitlab("report", tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(f"{tmp_path}: neither a study nor a run: it has neither plan.json nor spec.json\n")


def test_a_plan_is_a_study_file_again(tmp_path):
    """The command that a study's page gives for the whole study reads the plan beside it."""
    from vitlab.base.spec import to_dict
    from vitlab.recipes import recipe
    from vitlab.study.design.one_at_a_time import Spec
    from vitlab.study.files import read_study_spec
    from vitlab.study.plan import plan
    from vitlab.study.spec import StudySpec, factor

    study = StudySpec("Why?", recipe("digits"), Spec((factor("model.depth", 2, 4),)), num_seeds=2, verdicts=False)
    plan(study).as_record().write(tmp_path)
    assert to_dict(read_study_spec(str(tmp_path / "plan.json"))) == to_dict(study)
