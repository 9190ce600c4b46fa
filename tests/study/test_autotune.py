"""The fastest way wins, is recorded, kept and remembered. The measurements are given."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tests.study.conftest import OVERRIDES
from vitlab.base.errors import UserError
from vitlab.records.execution import CellExecution
from vitlab.study import allowance, execution
from vitlab.study.allowance import TOO_LONG
from vitlab.study.autotune import SECONDS, choose_executions, expected_seconds
from vitlab.study.execution import constraints_of
from vitlab.study.executor._base import Executor, Measured
from vitlab.study.plan import plan
from vitlab.study.study_dir import StudyDir

STACKED, ALONE, SIDES, ALL = (
    f"{each}, explicit attention" for each in ("stacked", "one by one", "2 side by side", "stacked with other cells")
)
CELLS = {"plain": {}, "slow": {"optim.lr": 1e-4}, "deep": {"model.depth": 4}}


class Clock(Executor):
    """An executor whose measurements are given: seconds of a step of one process that trains R runs beside others."""

    def __init__(self, stacked=0.06, alone=0.02, sides=0.03, alike=0.6, per_epoch=80.0, cpu="this one"):
        self.seconds = {(3, 1): stacked, (1, 1): alone, (1, 2): sides, (6, 1): alike}
        self.per_epoch, self.asked, self.cpu = per_epoch, [], cpu

    def host(self):
        return {"cpu": self.cpu}

    def measure(self, jobs, seconds):
        assert all(job == jobs[0] for job in jobs)
        assert seconds == SECONDS
        key = len(jobs[0].runs), len(jobs)
        self.asked.append((*key, jobs[0]))
        if isinstance(self.seconds[key], Exception):
            raise self.seconds[key]
        return Measured(self.seconds[key], self.per_epoch)


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """Two cores, a memory of our own, and a clock that stands still: to measure takes no time."""
    monkeypatch.setattr(allowance.time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(execution, "process_cores", lambda: 2)
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def choose(study_of, tmp_path):
    """`choose(clock, folder="b", jobs=1, …)`: what is recorded then."""

    def choosing(clock, folder="a", cells=CELLS, jobs=None, stack=None, console=None, measures=True, **more):
        planned = plan(study_of(cells, **({"num_seeds": 3} | more)))
        found = StudyDir(tmp_path / folder)
        constraints = constraints_of(planned, OVERRIDES, jobs, stack)
        quiet = Console(quiet=True)
        choose_executions(planned, found, constraints, clock, measures, console or quiet)
        return dict(found.executions(clock.host()))

    return choosing


def way_of(how, cell="plain"):
    execution = how[cell].execution
    return execution["stack"], execution["jobs"]


@pytest.mark.parametrize(
    ("clock", "way"),
    [
        (Clock(stacked=0.03, alone=0.02, sides=0.03), ("cell", 1)),  # 10 ms a run, against 20 and 15
        (Clock(stacked=0.09, alone=0.02, sides=0.03), ("none", 2)),  # 30, 20, 15
        (Clock(stacked=0.09, alone=0.02, sides=0.05), ("none", 1)),  # 30, 20, 25
    ],
)
def test_the_fastest_wins(choose, clock, way):
    assert way_of(choose(clock)) == way


def test_what_was_measured_is_recorded(choose):
    how = choose(Clock(stacked=0.06, alone=0.02, sides=0.03))["plain"]
    assert how.measured == {STACKED: pytest.approx(0.02), ALONE: 0.02, SIDES: 0.015, ALL: pytest.approx(0.1)}
    assert how.unmeasured == {}
    assert expected_seconds(how) == pytest.approx(0.015 * 12)


def test_processes_that_measure_share_the_machine(choose):
    clock = Clock()
    choose(clock, cells={"plain": {}})
    assert [(runs, jobs) for runs, jobs, _ in clock.asked] == [(1, 1), (1, 2), (3, 1)]
    for runs, _, job in clock.asked:
        assert [run["spec"]["seed"] for run in job.runs] == list(range(runs))
        assert job.overrides["threads"] == 1


def test_cells_whose_steps_do_the_same_work_are_measured_once(choose):
    clock = Clock()
    how = choose(clock)
    assert len(clock.asked) == 2 * 3 + 1  # plain and slow together, and deep; and the stack of the first two
    assert how["plain"] == how["slow"]


def test_how_many_steps_a_run_has_is_each_cells_own(choose):
    cells = {"short": {}, "long": {"steps": 99}, "passes": {"steps": None, "epochs": 2.5}}
    how = choose(Clock(per_epoch=80.0), cells=cells, equal="nothing")
    assert [how[cell].steps for cell in cells] == [12, 99, 200]


def test_the_choice_is_kept_even_if_measurements_would_now_differ(choose, tmp_path):
    first = choose(Clock(stacked=0.01))
    (tmp_path / "cache" / "choices").rename(tmp_path / "forgotten")
    clock = Clock(stacked=0.5)
    assert choose(clock) == first
    assert clock.asked == []


def test_another_kind_of_host_chooses_anew_and_both_are_recorded(choose, tmp_path):
    """A study may begin on a laptop and go on elsewhere: what is fast there is measured there."""
    laptop, server = Clock(stacked=0.01, cpu="small"), Clock(stacked=0.5, alone=0.02, sides=0.5, cpu="large")
    assert way_of(choose(laptop)) == ("cell", 1)
    (tmp_path / "cache" / "choices").rename(tmp_path / "forgotten")  # the other one's is elsewhere
    assert way_of(choose(server)) == ("none", 1)
    assert server.asked
    assert way_of(choose(laptop)) == ("cell", 1)


def test_an_executor_that_cannot_measure_trains_one_by_one_or_as_asked(choose):
    screen = Console(file=io.StringIO(), width=200)
    clock = Clock()
    assert way_of(choose(clock, measures=False, console=screen)) == ("none", 1)
    assert screen.file.getvalue().startswith(f"plain: {ALONE}; its steps were not measured\n")
    assert way_of(choose(clock, measures=False, folder="b", stack=True)) == ("cell", 1)
    assert clock.asked == []


def test_it_is_remembered_for_other_studies(choose):
    first, clock = choose(Clock(stacked=0.01)), Clock(stacked=0.5)
    assert choose(clock, folder="b") == first
    assert clock.asked == []


def test_a_memory_of_a_way_that_may_not_be_used_is_not_followed(choose):
    choose(Clock(stacked=0.01))
    assert way_of(choose(Clock(alone=0.02, sides=0.5), folder="b", stack=False)) == ("none", 1)


@pytest.mark.parametrize(
    ("asked", "way"),
    [
        ({"jobs": 1}, ("cell", 1)),
        ({"jobs": 2, "stack": False}, ("none", 2)),
        ({"jobs": 1, "stack": False}, ("none", 1)),
    ],
)
def test_jobs_and_stack_as_asked_restrict_the_ways(choose, asked, way):
    assert way_of(choose(Clock(stacked=0.03, alone=0.02, sides=0.01), **asked)) == way


def test_what_is_asked_for_now_goes_before_what_is_recorded(choose):
    assert way_of(choose(Clock(stacked=0.01))) == ("cell", 1)
    assert way_of(choose(Clock(), stack=False, jobs=1)) == ("none", 1)
    assert way_of(choose(Clock(stacked=0.01))) == ("none", 1)  # nothing is asked for: as it was
    clock = Clock()
    choose(clock, stack=False, jobs=1)
    assert clock.asked == []


def test_a_way_that_cannot_be_measured_is_not_taken_and_nothing_is_remembered(choose):
    """A stack may need more memory than there is."""
    how = choose(Clock(stacked=UserError("out of memory"), alone=0.02, sides=0.5))["plain"]
    assert (how.execution["stack"], how.execution["jobs"]) == ("none", 1)
    assert how.unmeasured == {STACKED: "out of memory"}
    assert set(how.measured) == {ALONE, SIDES, ALL}
    clock = Clock()
    choose(clock, folder="b")
    assert clock.asked


def test_a_cell_that_cannot_be_measured_at_all_holds_up_no_other(choose):
    screen = Console(file=io.StringIO(), width=200)
    broken = UserError("no pictures")
    how = choose(Clock(broken, broken, broken), cells={"plain": {}}, console=screen)["plain"]
    assert (how.measured, how.expected) == ({}, None)
    assert set(how.unmeasured.values()) == {"no pictures"}
    assert expected_seconds(how) == 0.0
    assert screen.file.getvalue().endswith(f"plain: {ALONE}; its steps were not measured\n")


def test_what_was_measured_is_said_the_fastest_first(choose):
    screen = Console(file=io.StringIO(), width=200)
    choose(Clock(stacked=0.06, alone=0.025, sides=0.03), cells={"plain": {}}, console=screen)
    said = f"plain: {SIDES}, 15.0 ms / step of a run ({STACKED} 20.0, {ALONE} 25.0)\n"
    assert screen.file.getvalue() == f"measuring plain: {ALONE} …\n{said}"
    screen = Console(file=io.StringIO(), width=200)
    choose(Clock(alone=0.025), cells={"plain": {}}, folder="b", jobs=1, stack=False, console=screen)
    assert screen.file.getvalue().endswith(f"plain: {ALONE}, 25.0 ms / step of a run\n")


def test_a_record_that_cannot_be_used_is_made_again(choose, tmp_path):
    odd = CellExecution({"stack": "perhaps"}, "", {}, None, seeds=3)
    StudyDir(tmp_path / "a").note_executions(Clock().host(), {"plain": odd})
    assert way_of(choose(Clock(stacked=0.01))) == ("cell", 1)


def test_one_device_and_one_precision_for_all_cells(study_of):
    planned = plan(study_of(CELLS))
    held = constraints_of(planned, replace(OVERRIDES, precision="fp64"))
    told = [held.overrides_for(way, cell.candidates[0].spec, 3) for way in held.executions() for cell in planned.cells]
    assert {(each["device"], each["precision"]) for each in told} == {("cpu", "fp64")}


# --------------------------------------------------------------------------------------------- cells of one structure


def test_cells_of_one_structure_are_stacked_together_where_that_is_faster(choose):
    """A run's step takes 20 ms, 15 side by side, 10 in the cell's own stack, 5 in a stack of both cells."""
    clock = Clock(stacked=0.03, alone=0.02, sides=0.03, alike=0.03)
    how = choose(clock)
    assert [way_of(how, cell) for cell in CELLS] == [("cells", 1), ("cells", 1), ("cell", 1)]
    assert how["slow"].measured[ALL] == pytest.approx(0.005)
    assert ALL not in how["deep"].measured
    _, _, job = next(asked for asked in clock.asked if asked[0] == 6)
    assert [(run["spec"]["optim"]["lr"], run["spec"]["seed"]) for run in job.runs] == [
        (rate, seed) for rate in (3e-3, 1e-4) for seed in range(3)
    ]
    again = Clock()
    assert choose(again, folder="b") == how
    assert again.asked == []


def test_else_each_goes_its_own_way(choose):
    how = choose(Clock(stacked=0.03, alone=0.02, sides=0.03, alike=0.061))
    assert [way_of(how, cell) for cell in CELLS] == [("cell", 1)] * 3


def test_a_stack_of_both_that_finds_no_place_is_not_taken_and_asked_again(choose):
    choose(Clock(alike=UserError("out of memory")))
    clock = Clock(alike=0.001)
    assert way_of(choose(clock, folder="b")) == ("cells", 1)
    assert len(clock.asked) == 1


@pytest.mark.parametrize("asked", [{"stack": False}, {"jobs": 2}])
def test_who_wants_no_stack_or_several_processes_gets_no_stack_of_both(choose, asked):
    clock = Clock(alike=0.001)
    clock.seconds[(3, 2)] = 0.03
    choose(clock, **asked)
    assert all(runs < 6 for runs, _, _ in clock.asked)


def test_what_is_said_and_recorded_is_the_way_that_is_taken(choose):
    """A run takes 10 ms in a stack of its cell, 9.8 in one of both cells."""
    screen = Console(file=io.StringIO(), width=200)
    how = choose(Clock(stacked=0.03, alone=0.02, sides=0.03, alike=0.059), console=screen)
    assert how["plain"].called == ALL
    assert (
        screen.file.getvalue()
        .splitlines()[1]
        .startswith(f"plain: {ALL}, 9.8 ms / step of a run ({STACKED} 10.0, {SIDES} 15.0")
    )


@pytest.mark.parametrize("folder", ["a", "b"])
def test_more_seeds_are_not_measured_again(choose, folder):
    """Neither in the study's folder, nor in another one for which the machine remembers."""
    assert way_of(choose(Clock(stacked=0.01))) == ("cell", 1)
    clock = Clock(stacked=0.5)
    assert way_of(choose(clock, folder=folder, num_seeds=6)) == ("cell", 1)
    assert clock.asked == []


def test_a_study_that_grows_from_one_seed_is_trained_as_it_was(choose):
    choose(Clock(alone=0.02, sides=0.5), num_seeds=1, cells={"plain": {}})
    clock = Clock(stacked=0.01)
    assert way_of(choose(clock, cells={"plain": {}})) == ("none", 1)
    assert clock.asked == []


# ---------------------------------------------------------------------------------------------------------- a cap


@pytest.fixture
def slow(monkeypatch):
    """`slow(clock, 2.0)`: every measurement takes so many seconds of the clock."""
    now = [0.0]
    monkeypatch.setattr(allowance.time, "monotonic", lambda: now[0])

    def takes(clock, seconds):
        measure = clock.measure

        def measuring(jobs, steps):
            now[0] += seconds
            return measure(jobs, steps)

        clock.measure = measuring
        return clock

    return takes


@pytest.mark.parametrize(
    ("seconds", "ways"), [(3.9, [ALONE, SIDES, STACKED]), (5.9, [ALONE, SIDES]), (6.1, [ALONE]), (600, [ALONE])]
)
def test_measuring_takes_a_tenth_of_the_training_at_most(choose, slow, seconds, ways):
    """Three seeds of 2,000 steps of 20 ms are 120 s: of twelve for measuring, a first is made in any case."""
    clock = slow(Clock(stacked=0.1, alone=0.02, sides=0.06), seconds)
    how = choose(clock, cells={"plain": {"steps": 2000}}, equal="nothing")["plain"]
    assert (list(how.measured), way_of({"plain": how})) == (ways, ("none", 1))
    assert how.unmeasured == {way: TOO_LONG for way in (SIDES, STACKED) if way not in ways}


def test_a_cell_that_is_not_measured_is_trained_as_the_one_before_and_expected_by_flops(choose, slow):
    screen = Console(file=io.StringIO(), width=200)
    clock = slow(Clock(stacked=0.03, alone=0.02, sides=0.03), 5.9)
    cells = {"plain": {"steps": 2000}, "deep": {"model.depth": 4, "steps": 2000}}
    how = choose(clock, cells=cells, equal="nothing", console=screen)
    assert [way_of(how, cell) for cell in cells] == [("cell", 1)] * 2
    assert how["deep"].unmeasured == dict.fromkeys((ALONE, SIDES, STACKED), TOO_LONG)
    assert f"deep: {STACKED}; its steps were not measured: {TOO_LONG}\n" in screen.file.getvalue()
    depths = expected_seconds(how["deep"]) / expected_seconds(how["plain"])
    assert 1.9 < depths < 2  # twice the blocks
    unhurried = Clock()
    choose(unhurried, cells=cells, equal="nothing", folder="b")
    assert {len(job.runs) for _, _, job in unhurried.asked} == {1, 3}  # what was left out is not remembered


def test_cells_of_a_single_seed_are_stacked_if_a_stack_is_asked_for(choose):
    clock = Clock(alone=0.02)
    clock.seconds[(2, 1)] = 0.5
    how = choose(clock, stack=True, num_seeds=1, jobs=1)
    assert [way_of(how, cell) for cell in CELLS] == [("cells", 1), ("cells", 1), ("none", 1)]
