"""A study as what reads it without torch needs it."""

from tests.records.checks import check_record
from vitlab.base.metric import Metric
from vitlab.records.plan import CandidateRecord, CellRecord, PlanRecord

LOSS = Metric("loss", "loss", "nats", "lower")
CELL = CellRecord(
    *("plain", "plain", {"system": "plain"}, {"model.depth": 2}, None, ""),
    10,
    20,
    960,
    40,
    (CandidateRecord("", "", {}),),
)
PLAN = PlanRecord(
    *("0123", "Why?", "listed", "val_loss", "steps", (0, 1), None, 1, {}, (CELL,), {"question": "Why?"}),
    *({"val_loss": LOSS}, "val_loss"),
)


def test_it_comes_back(tmp_path):
    check_record(PLAN, tmp_path, ["id", "question", "seeds", "cells"], ["seeds", "tune_seeds"])
    assert PLAN.measured == LOSS
