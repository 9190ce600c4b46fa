"""A study as what reads it without torch needs it."""

from dataclasses import replace

import pytest

from tests.records.checks import check_record
from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.records.plan import CandidateRecord, CellRecord, PlanRecord

LOSS = Metric("loss", "loss", "nats", "lower")
CELL = CellRecord(
    *("plain", "plain", {"system": "plain"}, {"model.depth": 2}, None, ""),
    10,
    20,
    960,
    40,
    (0, 1),
    (CandidateRecord("", "", {}),),
)
PLAN = PlanRecord(
    *("0123", "Why?", "listed", "val_loss", "steps", (0, 1), None, 1, {}, (CELL,), {"question": "Why?"}),
    *({"val_loss": LOSS}, "val_loss"),
)


def test_it_comes_back(tmp_path):
    check_record(PLAN, tmp_path, ["id", "question", "seeds", "cells"], ["seeds", "tune_seeds"])
    assert PLAN.measured == LOSS


@pytest.mark.parametrize("folder", ["../elsewhere", "/etc", "a/b", "..", ".", "", "a\0b", "x" * 300])
def test_no_folder_leaves_the_study(folder):
    with pytest.raises(SpecError, match="not the name of a folder inside the study"):
        replace(CELL, folder=folder)
    if folder:  # a cell that is not tuned has no folder for its candidate
        with pytest.raises(SpecError, match="not the name of a folder inside the study"):
            CandidateRecord("0.1", folder, {})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cells": (CELL, CELL)}, "two of them have the name 'plain'"),
        ({"cells": (CELL, replace(CELL, name="deep"))}, "two of them have the folder 'plain'"),
        ({"cells": (replace(CELL, against="gone"),)}, "'plain' is compared with 'gone', which is no cell"),
        ({"crossed": {"depth": ["2", "4"]}}, "'plain' has no level of depth"),
        ({"seeds": (0, 0)}, "each of them once"),
        ({"seeds": (-1, 0)}, "from 0"),
        ({"seeds": ()}, "one or more"),
        ({"tune_seeds": 3}, "there are 2 seeds"),
        ({"cells": (replace(CELL, seeds=(0,)),)}, "'plain' lacks seeds that all have"),
        ({"metric": "test_loss"}, "metrics do not say what it is"),
    ],
)
def test_what_does_not_fit_together_is_damage(changes, said):
    with pytest.raises(SpecError, match=said):
        replace(PLAN, **changes)


def test_a_cell_has_a_candidate_and_no_negative_costs():
    with pytest.raises(SpecError, match="a cell has one at least"):
        replace(CELL, candidates=())
    with pytest.raises(SpecError, match="expected one or more"):
        replace(CELL, seeds=())
    with pytest.raises(SpecError, match="flops=-1: must be 0 or more"):
        replace(CELL, flops=-1)
