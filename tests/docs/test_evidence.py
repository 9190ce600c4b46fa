"""What documents say of evidence is what its records say."""

import re
from html import unescape
from pathlib import Path

import pytest

from vitlab.report.answers import compared, reference
from vitlab.report.caveats import caveats
from vitlab.report.evidence import ROOM, rewritten, said
from vitlab.report.study_tables import cells, comparisons
from vitlab.study.outcome import outcome
from vitlab.study.study_dir import StudyDir

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("results.md", "statistics.md")]
KEPT = [path for path in sorted((ROOT / ROOM).iterdir()) if path.is_dir()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_what_its_records_say(page):
    text = page.read_text()
    assert rewritten(text, ROOT) == text, "run scripts/evidence write"
    assert "<!-- evidence" in text


def test_no_figure_of_a_result_stands_outside_the_records():
    """But for what was asked for, as "1.3 times", settings and sizes."""
    typed = re.sub(r"<!-- evidence.*?<!-- end -->|`[^`]*`", "", PAGES[0].read_text(), flags=re.DOTALL)
    assert re.findall(r"\d+(?:\.\d+)? ?%|\d+\.\d+ points|\d+ images/s|\d+ ms", typed) == []


def test_a_figure_that_was_changed_is_noticed():
    text = PAGES[0].read_text()
    place = re.search(r"<!-- evidence digits -->.*?(\d+\.\d+) %", text, re.DOTALL)
    changed = text[: place.start(1)] + "99.99" + text[place.end(1) :]
    assert changed != text
    assert rewritten(changed, ROOT) == text


@pytest.mark.parametrize("name", ["demo", "r3_short", "transfer"])
def test_a_page_that_is_shown_says_what_its_records_say(name):
    page = unescape(re.sub(r"<[^>]+>", " ", (ROOT / "docs" / "examples" / f"{name}.html").read_text()))
    words = " ".join(page.split())
    study = outcome(ROOT / ROOM / name)
    assert f"{reference(study)}." in words
    for sentence in compared(study):
        assert sentence.finding in words
        assert sentence.evidence in words
    for caveat in caveats(study):
        assert f"{caveat[1:]}." in words
    for table in (comparisons(study), cells(study)):
        for row in table.filled.rows:
            assert " ".join(entry.text or "–" for entry in row) in words


@pytest.mark.parametrize("record", sorted((ROOT / "bench" / "results").iterdir()), ids=lambda path: path.stem)
def test_every_record_of_a_bench_is_shown(record):
    assert any(f"<!-- evidence {record.stem} -->" in page.read_text() for page in PAGES)


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_all_that_is_kept_is_used_and_whole(folder):
    assert f"<!-- evidence {folder.name} -->" in PAGES[0].read_text()
    assert said(ROOT, folder.name)
    if StudyDir(folder).is_study:
        found = outcome(folder)
        assert found.complete
        assert found.no_pictures == ""
        assert all(run.metrics for cell in found.cells for run in cell.runs)
    assert not [path for path in folder.rglob("*") if path.suffix in (".safetensors", ".html")]
