import json
import shutil


def test_the_page_is_written_beside_the_run(vitlab, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    answer = vitlab("report", run, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == {"report": str(run / "report.html")}
    assert "<html" in (run / "report.html").read_text()


def test_or_where_it_is_asked_for(vitlab, finished, tmp_path):
    answer = vitlab("report", finished, "--out", tmp_path / "page.html")
    assert answer.code == 0
    assert str(tmp_path / "page.html") in answer.out
    assert (tmp_path / "page.html").exists()


def test_a_folder_without_a_run(vitlab, tmp_path):
    answer = vitlab("report", tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert "spec.json does not exist" in answer.err
