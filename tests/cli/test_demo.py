"""The demo: a study from the command line, its answers in the terminal, its report on the disk."""

from dataclasses import replace

import pytest

from tests.cli.conftest import TINY
from vitlab.cli.options import settings
from vitlab.study import files
from vitlab.study.plan import plan


@pytest.fixture
def tiny_look(monkeypatch):
    """The demo's study with two cells of two seeds, a few steps each."""
    whole = files.read_study_spec("demo")
    changes = settings([word for word in TINY if "=" in word])
    positions = replace(whole.design, factors=whole.design.factors[1:2])
    tiny = replace(files.adjusted(whole, changes, seeds=2, verdicts=False), design=positions)
    monkeypatch.setattr(files, "read_study_spec", {"demo": tiny}.__getitem__)
    return tiny


@pytest.mark.slow
def test_it_answers_and_reports_and_keeps_what_is_finished(vitlab, tmp_path, tiny_look):
    answer = vitlab("demo", "--out", tmp_path / "demo")
    assert (answer.code, answer.err) == (0, "")
    assert tiny_look.question in answer.out
    assert "average pooling instead of attention" in answer.out
    assert (tmp_path / "demo/report.html").exists()
    results = sorted((tmp_path / "demo/runs").rglob("result.json"))
    assert len(results) == 2 * len(plan(tiny_look).cells)
    written = [path.stat().st_mtime_ns for path in results]
    assert vitlab("demo", "--out", tmp_path / "demo").code == 0
    assert [path.stat().st_mtime_ns for path in results] == written
