"""A study's answers, written and read."""

import json
from dataclasses import replace

import pytest

from tests.records.checks import check_record
from tests.report.outcomes import cell, comparison, outcome, t
from vitlab.records.outcome import Tuned


def test_they_come_back(tmp_path):
    said = outcome(comparison("deep", "depth 4", 0.01, t(0.002, 0.018), "better"))
    check_record(said, tmp_path, ["question", "comparisons"], ["seeds", "better", "cells"])


def test_what_tuning_saw_stands_under_its_metrics_name(tmp_path):
    tuned = Tuned("optim.lr", "0.1", "val_top1", {"0.1": 0.9, "0.2": None})
    said = replace(outcome(), cells=(replace(cell("baseline"), tuned=tuned),))
    said.write(tmp_path)
    (written,) = json.loads((tmp_path / "study.json").read_text())["cells"]
    assert written["tuned"] == {
        "setting": "optim.lr",
        "value": "0.1",
        "failed": {},
        "at_an_edge": False,
        "val_top1": {"0.1": 0.9, "0.2": None},
    }
    assert type(said).read(tmp_path) == said


def test_scores_are_those_of_finished_runs():
    """A run that is interrupted has a score that goes on changing."""
    first, second, *others = cell("deep", 0.9).runs
    runs = (replace(first, status="interrupted"), replace(second, metrics={"test_loss": 0.5}), *others)
    assert replace(cell("deep"), runs=runs).scores("test_top1") == dict.fromkeys(range(2, 6), 0.9)


@pytest.mark.parametrize("missing", [(), ("deep, seed 1: not trained yet",)])
def test_it_is_complete_if_nothing_is_missing(missing):
    assert outcome(missing=missing).complete is not bool(missing)
