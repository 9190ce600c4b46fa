"""The page of a study: its order, its numbers, its files; unfinished ones; odd names; and in a real browser."""

import csv
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.report import outcomes
from tests.report.browser import PALE, asked, browse, shown
from tests.report.conftest import change
from tests.report.studies import LOST, run_folder, write_study
from tests.report.test_page import Page
from vitlab.base.errors import DataError
from vitlab.report.answers import answers
from vitlab.report.study import _levels, _sizes
from vitlab.report.write import write_report
from vitlab.study.outcome import outcome


def written(folder: Path) -> SimpleNamespace:
    path = write_report(folder)
    return SimpleNamespace(folder=folder, path=path, page=Page(path), figures=folder / "report_figures")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A study of 3 cells and 3 seeds with its page; tests only read it."""
    return written(write_study(tmp_path_factory.mktemp("finished") / "parts", cells=3, seeds=3))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The same of 12 cells and 6 seeds, which takes seconds to draw."""
    return written(write_study(tmp_path_factory.mktemp("large") / "parts"))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Three cells and three seeds, to be changed."""
    return write_study(tmp_path / "small", cells=3, seeds=3)


def page_of(folder: Path) -> Page:
    return Page(write_report(folder))


def test_the_question_stands_first_then_the_answers(finished: SimpleNamespace) -> None:
    page, sentences = finished.page, answers(outcome(finished.folder))
    assert page.by_id["headline"] == "What does each part do?"
    assert page.by_id["reference"] == sentences[0] + "."
    *told, over, verdicts, held, short = sentences[1:]
    assert [line.strip() for line in page.by_id["answers"].split("\n") if line.strip()] == told
    for caveat in (over, verdicts, held, short):  # the same as in a terminal, as sentences of their own
        assert f"{caveat[1:]}." in page.by_id["notes"]
    places = [page.source.index(f'id="{name}"') for name in ("headline", "reference", "answers", "notes")]
    heads = ("scores-head", "training", "comparisons-head", "cells-head", "cost", "again", "where", "missing")
    places += [page.source.index(f'aria-labelledby="{name}"') for name in heads]
    assert places == sorted(places)


def test_it_stands_alone_and_is_small(finished: SimpleNamespace) -> None:
    assert "http:" not in finished.page.source
    assert "https:" not in finished.page.source
    assert not any(tag in ("link", "iframe", "img") for tag, _ in finished.page.tags)
    ids = [attributes["id"] for _, attributes in finished.page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', finished.page.source)) <= set(ids)


def test_every_figure_has_files_and_data(finished: SimpleNamespace) -> None:
    drawings = finished.page.drawings
    assert len(drawings) == 7  # differences, scores, three curves, two costs
    stems = {path.stem for path in finished.figures.iterdir() if path.suffix == ".svg"}
    assert stems == {path.stem for path in finished.figures.iterdir() if path.suffix == ".png"}
    assert len(stems) == 7
    data = {path.stem for path in finished.figures.glob("*.csv")}
    assert data == {
        *("differences", "scores", "together_loss", "together_top1", "together_latency", "pareto"),
        *("comparisons", "cells", "executions"),
    }


def test_the_data_are_the_records(finished: SimpleNamespace) -> None:
    with (finished.figures / "scores.csv").open() as file:
        scores = {(row["cell"], int(row["seed"])): float(row["test_top1"]) for row in csv.DictReader(file)}
    assert len(scores) == 9
    for (cell, seed), score in scores.items():
        result = json.loads((run_folder(finished.folder, cell, seed) / "result.json").read_text())
        assert score == result["metrics"]["test_top1"]
    with (finished.figures / "differences.csv").open() as file:
        for row in csv.DictReader(file):
            expected = scores[row["cell"], int(row["seed"])] - scores["baseline", int(row["seed"])]
            assert float(row["difference"]) == pytest.approx(expected, abs=1e-15)


def test_every_cell_has_its_configuration_and_its_command(finished: SimpleNamespace) -> None:
    text = finished.page.text
    assert "vitlab study parts/plan.json --out repeat" in text
    for name, *_ in LOST[:3]:
        place = f"parts/runs/{name.replace(' ', '-')}/seed-0/spec.json"
        assert f"vitlab train {place} --out repeat --device cpu --precision bf16 --kernel explicit --threads 2" in text
    assert text.count('"embed_dim": 64') == 3
    assert "model.part = sincos2d" in text
    assert finished.page.row("CPU") == ["Example CPU"]
    assert finished.page.row("Started") == ["2026-11-21T07:00:00+00:00 to 2026-11-21T07:02:02+00:00"]
    assert "Activations: 59.0 KiB in every cell, so not drawn." in text
    assert "None: all runs finished." in text


@pytest.mark.slow
def test_the_same_records_make_the_same_bytes(small: Path, tmp_path: Path) -> None:
    first = write_report(small, out=tmp_path / "a" / "page.html")
    second = write_report(small, out=tmp_path / "b" / "page.html")
    assert first.read_bytes() == second.read_bytes()
    for path in (tmp_path / "a" / "page_figures").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "page_figures" / path.name).read_bytes()


@pytest.mark.slow
def test_names_that_are_odd_are_shown_as_they_are(small: Path) -> None:
    evil = "<script>alert('$x$')</script>\"'&"
    plan = json.loads((small / "plan.json").read_text())
    plan["cells"][1] |= {"name": evil, "says": f"{evil} instead", "settings": {"model.part": evil}}
    change(small / "plan.json", question=evil, cells=plan["cells"])
    change(run_folder(small, "baseline", 0) / "env.json", hardware={evil: evil}, choices={"device": evil})
    page = page_of(small)
    assert page.source.count("<script>") == 1
    assert page.by_id["headline"] == evil
    assert page.text.count(evil) >= 8


# ------------------------------------------------------------------------------------------------------- what lacks


@pytest.mark.slow
def test_runs_that_failed_or_are_not_there(small: Path) -> None:
    result = run_folder(small, "position embedding none", 1) / "result.json"
    change(result, status="failed", reason="the loss stopped being finite at step 30", metrics={})
    shutil.rmtree(run_folder(small, "position embedding sincos2d", 0))
    page = page_of(small)
    assert "2 of 9 runs have no score; the results are those of the others" in page.text
    assert "position embedding none, seed 1: failed: the loss stopped being finite at step 30" in page.text
    assert "position embedding sincos2d, seed 0: not trained yet" in page.text
    assert "2 of 3 against 3 seeds" in page.by_id["answers"]
    assert not re.search(r"\b(nan|inf|None)\b", page.text)


def test_a_study_of_which_nothing_has_run(small: Path) -> None:
    shutil.rmtree(small / "runs")
    (small / "execution.json").unlink()
    page = page_of(small)
    assert page.by_id["reference"] == "baseline: no score; not trained yet."
    assert "removing the position embedding: no answer; position embedding none: no run" in page.by_id["answers"]
    assert "No command: none of its runs has begun." in page.text
    assert "Not shown: no run has begun." in page.text
    assert page.text.count("not trained yet") == 10
    assert not any(tag == "svg" for tag, _ in page.tags)


def test_a_damaged_record_leaves_no_page(small: Path) -> None:
    (run_folder(small, "baseline", 0) / "env.json").write_text("{")
    with pytest.raises(DataError, match=r"env\.json is damaged"):
        write_report(small, out=small / "report.html")
    assert not (small / "report.html").exists()


@pytest.mark.slow
def test_a_factorial_has_its_effects(tmp_path: Path) -> None:
    study = write_study(tmp_path / "crossed", cells=4, seeds=3)
    plan = json.loads((study / "plan.json").read_text())
    levels = [("learned", "mean"), ("none", "mean"), ("learned", "cls"), ("none", "cls")]
    for cell, (position, pool) in zip(plan["cells"], levels, strict=True):
        cell["levels"] = {"position": position, "pool": pool}
    crossed = {"position": ["learned", "none"], "pool": ["mean", "cls"]}
    change(study / "plan.json", cells=plan["cells"], crossed=crossed, design="factorial")
    page = page_of(study)
    rows = [row for row in page.rows if row and row[0] in ("position", "pool", "position × pool")]
    assert [row[:2] for row in rows] == [["position", "none"], ["pool", "cls"], ["position × pool", "none, cls"]]
    assert "on average over the other factor, removing the position embedding" in page.by_id["answers"]
    assert "learned, mean" in (study / "report_figures/together_loss.svg").read_text()


# ------------------------------------------------------------------------------------------------------- as a whole


@pytest.mark.slow
def test_it_needs_no_torch() -> None:
    script = "import sys, vitlab.report.write; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.slow
def test_twelve_cells_and_six_seeds_are_a_small_page(large: SimpleNamespace) -> None:
    assert large.path.stat().st_size < 2e6
    assert len(large.page.drawings) == 9


@pytest.mark.slow
def test_a_browser_runs_the_page_without_complaint(large: SimpleNamespace) -> None:
    document = shown(large.path)
    assert document.count('<button type="button">') == large.page.source.count('<th scope="col"')  # its script has run


SORT = """(document) => {
  const table = document.getElementById("comparisons");
  const column = [...table.tHead.rows[0].cells].findIndex((head) => head.textContent === "Difference");
  const head = table.tHead.rows[0].cells[column];
  const values = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[column].dataset.sort));
  const seen = [[head.ariaSort, values()]];
  for (const _ of [1, 2]) {
    head.querySelector("button").click();
    seen.push([head.ariaSort, values()]);
  }
  const first = table.tHead.rows[0].cells[0];
  first.querySelector("button").click();
  const names = [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
  const focusable = head.querySelector("button").tabIndex;
  return { seen, focusable, names, before: head.ariaSort, after: first.ariaSort };
}"""


@pytest.mark.slow
def test_a_click_on_a_head_sorts_its_table(large: SimpleNamespace) -> None:
    found = asked(large.path, SORT)
    (unsorted, written), (up, rising), (down, falling) = found["seen"]
    assert (unsorted, up, down) == (None, "ascending", "descending")
    assert rising == sorted(written)
    assert falling == rising[::-1]
    assert rising != written
    assert (found["names"], found["before"], found["after"]) == (sorted(found["names"]), None, "ascending")
    assert found["focusable"] == 0


@pytest.mark.slow
def test_nothing_is_wider_than_a_telephone(large: SimpleNamespace) -> None:
    widths = "(document) => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    content, window = asked(large.path, widths, width=360)
    assert content <= window <= 360


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_all_text_stands_out(large: SimpleNamespace, dark: bool) -> None:
    found = asked(large.path, PALE, dark=dark)
    assert found["paper"] == ("rgb(21, 23, 27)" if dark else "rgb(255, 255, 255)")
    assert found["texts"] > 500
    assert found["pale"] == []


@pytest.mark.slow
def test_it_prints(large: SimpleNamespace, tmp_path: Path) -> None:
    browse(large.path, f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer")
    pdf = (tmp_path / "page.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert 4 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 14


def test_the_sizes_tell_of_whom_there_are_more_seeds_and_levels_what_a_name_does_not():
    more = outcomes.cell("baseline", levels={"positions": "learned", "pooling": "cls"})
    more = replace(more, runs=(*more.runs, replace(more.runs[0], seed=6)))
    assert _sizes(outcomes.outcome(cells=(more, outcomes.cell("a")))) == "2 cells, 6 seeds each, 7 of baseline"
    assert _sizes(outcomes.outcome(cells=(outcomes.cell("a"),))) == "1 cell, 6 seeds each"
    assert _levels([more]) == "positions learned, pooling cls"
    assert _levels([replace(more, name="positions learned, pooling cls")]) == ""


def test_a_cell_called_by_its_level_is_told_by_what_others_change():
    spec = {"model": {"attention": {"name": "softmax", "scale": None}, "depth": 4}}
    first = outcomes.cell("VIT", levels={"system": "VIT"}, spec=spec)
    others = [
        outcomes.cell("a", settings={"model.attention": "linear"}),
        outcomes.cell("b", settings={"model.attention": "linear", "model.depth": 3}),
    ]
    assert _levels([first, *others]) == "attention softmax, depth 4"
    assert _levels([first]) == ""
