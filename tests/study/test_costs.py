"""What cells cost in time, timed in turn."""

import io

import pytest
from rich.console import Console

from tests.study.conftest import OVERRIDES
from vitlab.base.errors import UserError
from vitlab.records.execution import CellExecution
from vitlab.study.cost_ratios import cost_ratios, least_busy
from vitlab.study.costs import ROUNDS, measure_costs
from vitlab.study.execution import Execution, constraints_of
from vitlab.study.executor._base import Executor, Timed
from vitlab.study.plan import plan
from vitlab.study.study_dir import StudyDir
from vitlab.train.machine.throughput import Throughput

WAY = "one by one, explicit attention"


class Clock(Executor):
    """Times jobs by a list; remembers what it was asked."""

    def __init__(self, error=None):
        self.asked, self.error = [], error

    def host(self):
        return {"cpu": "any"}

    def time_in_turn(self, jobs, rounds, seconds):
        self.asked.append((len(jobs), rounds))
        if self.error:
            raise UserError(self.error)
        return [[Timed(0.01 * (place + 1), 1e-4, 0.9 - 0.1 * place)] * rounds for place, _ in enumerate(jobs)]


@pytest.fixture
def timed(study_of, tmp_path):
    """`timed(clock, step)`: the study's folder after two cells were timed that take so long a step."""

    def time(clock, step=10.0):
        planned = plan(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2))
        folder, screen = StudyDir(tmp_path / "study"), Console(file=io.StringIO(), width=200)
        how = CellExecution(
            {"stack": "none", "jobs": 1, "kernel": "explicit"}, WAY, {WAY: step}, None, steps=12, seeds=2
        )
        folder.note_executions(clock.host(), {"plain": how, "deep": how})
        measure_costs(planned, folder, constraints_of(planned, OVERRIDES), clock, screen)
        return folder, screen.file.getvalue()

    return time


def test_all_cells_are_timed_round_by_round_and_kept(timed):
    clock = Clock()
    folder, _ = timed(clock)
    assert clock.asked == [(2, ROUNDS)]
    costs = folder.costs(clock.host())
    assert costs["deep"].step == (0.02,) * ROUNDS
    assert cost_ratios(costs, "plain", "deep")["seconds_per_step"].value == pytest.approx(2.0)
    assert cost_ratios(costs, "plain", "plain") == {}
    assert least_busy(costs) == pytest.approx(0.8)
    timed(clock)
    assert clock.asked == [(2, ROUNDS)]  # once for this kind of host


def test_a_short_training_is_not_timed(timed):
    clock = Clock()
    folder, said = timed(clock, step=0.001)
    assert clock.asked == []
    assert folder.costs(clock.host()) == {}
    assert "would take more than a tenth of the training" in said


def test_what_cannot_be_timed_is_said(timed):
    folder, said = timed(Clock("out of memory"))
    assert folder.costs({"cpu": "any"}) == {}
    assert said.endswith("the cells' costs in time are not measured: out of memory\n")


def test_ratios_are_within_rounds():
    """The machine is twice as slow in the second round, and the ratio is not."""
    from vitlab.records.execution import CellCosts

    first = CellCosts((0.1, 0.2, 0.1), (1e-3,) * 3, (None,) * 3)
    other = CellCosts((0.15, 0.3, 0.16), (1e-3,) * 3, (None,) * 3)
    ratio = cost_ratios({"a": first, "b": other}, "a", "b")["seconds_per_step"]
    assert ratio.value == pytest.approx((1.5 * 1.5 * 1.6) ** (1 / 3))
    assert 1.3 < ratio.low < ratio.value < ratio.high < 1.8
    assert least_busy({"a": first}) is None


@pytest.mark.slow
def test_a_process_that_has_the_machine_to_itself_is_busy(base_run):
    timed = Throughput([base_run()], OVERRIDES).timed(0.3)
    assert timed[0] > timed[1] > 0
    assert 0.3 < timed[2] <= 1.05  # other tests may run beside it


def test_it_is_one_by_one_with_the_studys_kernel(timed, monkeypatch):
    seen = []
    real = Clock.time_in_turn
    monkeypatch.setattr(Clock, "time_in_turn", lambda self, jobs, *more: seen.extend(jobs) or real(self, jobs, *more))
    timed(Clock())
    assert {job.overrides["kernel"] for job in seen} == {Execution("none", 1, "explicit").kernel}
    assert [len(job.runs) for job in seen] == [1, 1]
