"""How long a study will take: by what was measured here, else by FLOPs."""

from dataclasses import replace

import pytest

from vitlab.base.spec import to_dict
from vitlab.recipes import changed, recipe
from vitlab.study import forecast as module
from vitlab.study.choosing import Asked
from vitlab.study.design import listed
from vitlab.study.design._base import Level
from vitlab.study.forecast import forecast, runs_of
from vitlab.study.plan import plan
from vitlab.study.spec import StudySpec, factor
from vitlab.train.choices import Wishes

DESIGN = listed.Spec((Level("plain"), Level("deep", {"model.depth": 3})))
STUDY = StudySpec("How long?", changed(recipe("digits_small"), {"steps": 100}), DESIGN, num_seeds=4)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What is asked of a machine that multiplies 10^9 FLOPs a second, and has measured nothing."""
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "multiplication_rate", lambda device, dtype: 1e9)
    return lambda planned: Asked(planned, Wishes(device="cpu", threads=1), 1, False)


def test_by_flops(asked):
    planned = plan(STUDY)
    found = forecast(planned, asked(planned))
    flops = sum(3 * cell.cost.flops * 64 * 100 * 4 for cell in planned.cells)
    assert found.seconds == pytest.approx(flops / (module.EFFICIENCY * 1e9))
    assert not found.measured


def test_by_what_was_measured(asked, monkeypatch):
    planned = plan(STUDY)
    paces = {"plain": 0.25, "deep": 0.5}
    monkeypatch.setattr(module, "remembered", lambda cell, _: paces[cell.cell.name])
    found = forecast(planned, asked(planned))
    assert (found.seconds, found.measured) == (4 * 100 * 0.75, True)


def test_a_tuned_cell_has_the_runs_of_its_grid_too():
    """Two tuning seeds at each of three values; those at the winner are seeds of the cell."""
    planned = plan(replace(STUDY, tune=factor("optim.lr", 1e-3, 2e-3, 4e-3), tune_seeds=2))
    assert {runs_of(planned, cell) for cell in planned.cells} == {4 + 2 * 2}


def test_without_the_datas_size_there_is_none(asked, monkeypatch):
    epochs = replace(STUDY.base, steps=None, epochs=2.0)
    monkeypatch.setattr(type(epochs.data), "num_train", None)
    planned = plan(replace(STUDY, base=epochs))
    assert forecast(planned, asked(planned)).seconds is None


def test_the_rate_is_a_rate():
    wishes = Wishes(device="cpu", threads=1)
    rule = Asked(plan(STUDY), wishes, 1, False).rule
    assert to_dict(rule)["device"] == "cpu"
    assert 1e7 < module.multiplication_rate("cpu", rule.compute_dtype) < 1e15
