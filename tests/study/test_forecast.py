"""How long a study will take: by what was measured here, else by FLOPs."""

from dataclasses import replace

import pytest

from vitlab.base.spec import to_dict
from vitlab.recipes import changed, recipe
from vitlab.records.execution import CellExecution
from vitlab.study import forecast as module
from vitlab.study.design import listed
from vitlab.study.design._base import Level
from vitlab.study.execution import constraints_of
from vitlab.study.forecast import forecast
from vitlab.study.plan import plan
from vitlab.study.spec import StudySpec, factor
from vitlab.train.machine.choices import Overrides

DESIGN = listed.Spec((Level("plain"), Level("deep", {"model.depth": 3})))
STUDY = StudySpec("How long?", changed(recipe("digits_small"), {"steps": 100}), DESIGN, num_seeds=4)


@pytest.fixture
def constraints(monkeypatch, tmp_path):
    """What a study is held to on a machine that multiplies 10^9 FLOPs a second, and has measured nothing."""
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "multiplication_rate", lambda device, dtype: 1e9)
    return lambda planned: constraints_of(planned, Overrides(device="cpu", threads=1), 1, False)


def test_by_flops(constraints):
    planned = plan(STUDY)
    found = forecast(planned, constraints(planned))
    flops = sum(3 * cell.cost.flops * 64 * 100 * 4 for cell in planned.cells)
    assert found.seconds == pytest.approx(flops / (module.EFFICIENCY * 1e9))
    assert not found.measured


def test_by_what_was_measured(constraints, monkeypatch):
    planned = plan(STUDY)
    steps = {"plain": {"one by one": 0.25, "stacked": 0.3}, "deep": {"one by one": 0.5}}
    known = {name: CellExecution({}, "", measured, None) for name, measured in steps.items()}
    monkeypatch.setattr(module.Tuner, "known", lambda _, planned: known[planned.cell.name])
    found = forecast(planned, constraints(planned))
    assert (found.seconds, found.measured) == (4 * 100 * 0.75, True)


def test_a_tuned_cell_has_the_runs_of_its_grid_too():
    """Two tuning seeds at each of three values; those at the winner are seeds of the cell."""
    planned = plan(replace(STUDY, tune=factor("optim.lr", 1e-3, 2e-3, 4e-3), tune_seeds=2))
    assert {planned.runs_of(cell) for cell in planned.cells} == {4 + 2 * 2}


def test_without_the_datas_size_there_is_none(constraints, monkeypatch):
    epochs = replace(STUDY.base, steps=None, epochs=2.0)
    monkeypatch.setattr(type(epochs.data), "num_train", None)
    planned = plan(replace(STUDY, base=epochs))
    assert forecast(planned, constraints(planned)).seconds is None


def test_the_rate_is_a_rate():
    overrides = Overrides(device="cpu", threads=1)
    rule = constraints_of(plan(STUDY), overrides, 1, False).rule
    assert to_dict(rule)["device"] == "cpu"
    assert 1e7 < module.multiplication_rate("cpu", rule.compute_dtype) < 1e15
