"""Two runs, or two studies, on one page."""

import json
import re

import pytest

from tests.report.browser import PALE, asked, shown
from tests.report.conftest import DECLARED, ENV, SPEC, change, write_run
from tests.report.studies import write_study
from tests.report.test_page import Page
from vitlab.report.write import write_report


@pytest.fixture
def runs(tmp_path):
    a, b = write_run(tmp_path / "a"), write_run(tmp_path / "b", mistakes=20)
    linear = {"name": "linear", "features": 4}
    change(b / "spec.json", spec=SPEC | {"model": SPEC["model"] | {"attention": linear, "depth": 2}, "seed": 3})
    change(b / "env.json", commit="f" * 40)
    return a, b


@pytest.fixture
def studies(tmp_path):
    a, b = write_study(tmp_path / "a", cells=5, seeds=3), write_study(tmp_path / "b", cells=4, seeds=2)
    for folder, metric in ((a, "test_top1"), (b, "test_top1")):
        change(folder / "plan.json", study={"metric": metric, "num_seeds": 3 if folder == a else 2})
    return a, b


def page_of(pair, tmp_path):
    return Page(write_report(*pair, out=tmp_path / "page.html"))


@pytest.mark.slow
def test_two_runs(runs, tmp_path):
    page = page_of(runs, tmp_path)
    assert page.by_id["headline"] == "a and b"
    assert page.row("Test top-1, %") == ["98.1", "94.4", "−3.6"]
    assert page.row("Test loss, nats") == ["0.084", "0.084", "0.000"]
    assert page.row("Parameters") == ["212,810", "212,810"]
    assert page.row("model.attention") == ["softmax", '{"name": "linear", "features": 4}']
    assert page.row("model.depth") == ["4", "2"]
    assert page.row("seed") == ["0", "3"]
    assert page.row("Commit") == ["0123456789abcdef0123456789abcdef01234567", "f" * 40]
    assert not any(row and row[0] == "CPU" for row in page.rows)  # it is the same
    assert "98.1 % test top-1 on digits (353 of 360)" in page.text
    assert len(page.drawings) == 3
    assert {path.name for path in (tmp_path / "page_figures").glob("*.csv")} == {
        *("scores.csv", "key_numbers.csv", "settings.csv", "machine.csv"),
        *("together_loss.csv", "together_top1.csv", "together_latency.csv"),
    }


def test_two_runs_that_left_little(runs, tmp_path):
    for run in runs:
        for path in run.iterdir():
            if path.name != "spec.json":
                path.unlink()
    page = page_of(runs, tmp_path)
    assert "Nothing was recorded during training." in page.text
    assert not any(tag == "svg" for tag, _ in page.tags)


def test_two_studies(studies, tmp_path):
    page = page_of(studies, tmp_path)
    assert "Only in a: pooling cls." in page.text
    compared = page.rows[1:4]
    assert [row[0] for row in compared] == [
        *("position embedding none", "position embedding rope2d", "position embedding sincos2d"),
    ]
    assert all(len(row) == 5 for row in compared)
    assert "Columns left out because they are empty: Verdict." in page.text
    assert page.row("pooling cls")[3:] == ["–", "–", "–"]
    assert page.row("num_seeds") == ["3", "2"]
    assert len(page.drawings) == 1


def test_studies_of_two_metrics_are_told_apart_and_not_drawn_together(studies, tmp_path):
    change(studies[1] / "plan.json", metric="test_loss")
    page = page_of(studies, tmp_path)
    assert "The studies have different metrics, a test_top1 and b test_loss" in page.text
    assert not any(tag == "svg" for tag, _ in page.tags)


def test_a_study_that_lacks_runs_says_so(studies, tmp_path):
    result = studies[1] / "runs" / "baseline" / "seed-0" / "result.json"
    change(result, status="failed", reason="it diverged", metrics={})
    assert "b: 1 of 8 runs has no score;" in page_of(studies, tmp_path).text


@pytest.mark.slow
def test_the_same_records_make_the_same_bytes(studies, tmp_path):
    first = write_report(*studies, out=tmp_path / "x" / "page.html")
    second = write_report(*studies, out=tmp_path / "y" / "page.html")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
def test_a_browser_shows_it_without_complaint(studies, tmp_path):
    page = write_report(*studies, out=tmp_path / "page.html")
    assert '<button type="button">' in shown(page)
    assert asked(page, PALE, dark=True)["pale"] == []
    content, window = asked(page, "(d) => [d.documentElement.scrollWidth, d.documentElement.clientWidth]", width=360)
    assert content <= window <= 360


ORDER = """(document) => {
  const boxes = (selector) => [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect());
  const top = (selector) => boxes(selector).find((box) => box.width)?.top;  // of the first that is seen
  const after = ["svg.chart", "nav", "#notes", "table"].map(top).filter(Boolean);
  const links = [...document.querySelectorAll("nav a")].map((link) => document.querySelector(link.hash)?.textContent);
  return { last: top("p.between:last-of-type"), after, links };
}"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["runs", "studies"])
def test_on_a_telephone_the_picture_stands_right_after_the_sentences(what, request, tmp_path):
    page = write_report(*request.getfixturevalue(what), out=tmp_path / "page.html")
    told = asked(page, ORDER, width=390)
    assert told["last"] < told["after"][0] < 844  # of a common telephone's screen
    assert told["after"] == sorted(told["after"])
    assert told["links"] == re.findall(r"<h2[^>]*>([^<]+)<", page.read_text())


def test_both_runs_are_cited(runs, tmp_path):
    change(runs[0] / "env.json", commit=None)
    run = f"run {DECLARED['id']}"
    assert page_of(runs, tmp_path).by_id["cite"].startswith(f"{run}; {run}, commit {'f' * 40}, vitlab ")


def test_both_studies_are_cited(studies, tmp_path):
    study = f"study 0a1b2c3d4e5f, “What does each part do?”, commit {ENV['commit']}"
    assert page_of(studies, tmp_path).by_id["cite"].startswith(f"{study}; {study}, vitlab ")


@pytest.mark.slow
def test_settings_are_written_whole_into_the_data(runs, tmp_path):
    long = ["x" * 100, "y" * 100]
    change(runs[1] / "spec.json", spec=SPEC | {"augment": long})
    page = page_of(runs, tmp_path)
    assert page.row("augment")[1].endswith("…")
    assert json.dumps(long).replace('"', '""') in (tmp_path / "page_figures" / "settings.csv").read_text()
