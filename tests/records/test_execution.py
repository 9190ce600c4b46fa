"""How each cell is trained, on each kind of host."""

from dataclasses import replace

import pytest

from tests.records.checks import check_record
from vitlab.base.errors import DataError, OtherVersion, SpecError
from vitlab.records.execution import CellCosts, CellExecution, ExecutionRecord

CELL = CellExecution({"stack": "cell"}, "stacked", {"stacked": 0.1}, 80.5, {"one by one": "no memory"}, 12, 3)
HERE, THERE = {"cpu": "here"}, {"cpu": "there"}


def test_it_comes_back(tmp_path):
    record = ExecutionRecord().noting("a", HERE, {"plain": CELL})
    check_record(record, tmp_path, [], ["hosts"])


def test_each_kind_of_host_has_its_own():
    record = ExecutionRecord().noting("a", HERE, {"plain": CELL}).noting("b", THERE, {"deep": CELL})
    assert record.on("a") == {"plain": CELL}
    assert record.on("b") == {"deep": CELL}
    assert record.on("c") == {}
    assert record.hosts["b"].host == THERE


def test_what_is_known_stays_until_something_else_is_noted():
    slower = replace(CELL, steps_per_epoch=0.4)
    record = ExecutionRecord().noting("a", HERE, {"plain": CELL, "deep": CELL}).noting("a", HERE, {"deep": slower})
    assert record.on("a") == {"plain": CELL, "deep": slower}


def test_costs_are_of_one_host_that_has_timed_all_cells():
    """Seconds of two machines do not stand in one table."""
    record = ExecutionRecord().noting("a", HERE, {"plain": CELL}).noting("b", THERE, {"plain": CELL, "deep": CELL})
    fast, slow = CellCosts((0.1,), (0.01,), (1.0,)), CellCosts((0.2,), (0.02,), (None,))
    record = record.costing("a", {"plain": fast}).costing("b", {"plain": slow, "deep": slow})
    assert record.costs(["plain", "deep"]) == {"plain": slow, "deep": slow}
    assert record.costs(["plain"]) == {"plain": fast}
    assert record.costs(["plain", "gone"]) == {}
    assert record.on("b") == {"plain": CELL, "deep": CELL}


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        (((0.1,), (0.01, 0.02), (1.0,)), "have a value each in every round"),
        (((), (), ()), "have a value each in every round"),
        (((0.1,), (0.0,), (1.0,)), "must be positive"),
    ],
)
def test_costs_that_cannot_be_are_refused(costs, said):
    with pytest.raises(SpecError, match=said):
        CellCosts(*costs)


def test_seconds_are_not_negative_and_the_remedy_is_said(tmp_path):
    with pytest.raises(SpecError, match=r"measured\.one=-0\.1: must be 0 or more"):
        CellExecution({}, "one", {"one": -0.1}, None)
    (tmp_path / "execution.json").write_text("{")
    with pytest.raises(DataError, match=r"execution\.json is damaged: .*; remove it, and it is measured again"):
        ExecutionRecord.read(tmp_path)
    (tmp_path / "execution.json").write_text('{"schema": 99}')
    with pytest.raises(OtherVersion, match=r"from a newer vitlab: schema 99; this one reads up to 1$"):
        ExecutionRecord.read(tmp_path)
