"""What is shown of a study that runs, and the time that is left."""

import io

import pytest
from rich.console import Console

from vitlab.base import going_on
from vitlab.study import progress
from vitlab.study.progress import StudyProgress


@pytest.fixture
def clock(monkeypatch):
    """`clock(10)`: ten seconds go by."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


@pytest.fixture
def screen():
    return Console(file=io.StringIO(), width=200)


def lines(screen):
    return screen.file.getvalue().splitlines()


def test_the_time_left_is_what_is_expected_until_something_has_ended(clock, screen):
    shown = StudyProgress(screen, 3, 60)
    clock(5)
    assert shown.time_left() == "55 s left"
    clock(70)
    assert shown.time_left() == "0 s left"


def test_the_time_left_is_corrected_by_what_was_taken(clock, screen):
    """A third of the work was expected in 20 s and took 40: the rest, expected in 40, will take 80."""
    with StudyProgress(screen, 4, 60) as shown:
        shown.started("a")
        shown.started("b")
        clock(40)
        shown.ended("a", 1, 10, [])
        assert shown.time_left() == "3 min left"  # of one: 50 · 40 / 10 = 200 s
        shown.ended("b", 1, 10, [])
        assert shown.time_left() == "80 s left"
        assert shown.running == []


def test_the_end_tells_how_long_it_all_took(clock, screen):
    shown = StudyProgress(screen, 2, 0.1 + 0.2)  # 0.1 + 0.2 is not what is left when both are subtracted
    for name, seconds in (("a", 0.1), ("b", 0.2)):
        shown.started(name)
        clock(35)
        shown.ended(name, 1, seconds, [])
    assert shown.time_left() == "70 s in all"


def test_a_line_for_each_job_that_ended_and_why_one_failed(clock, screen):
    with StudyProgress(screen, 2, 20) as shown:
        shown.started("plain, seed 0")
        clock(20)
        shown.ended("plain, seed 0", 1, 10, [])
        shown.started("deep, seed 0")
        clock(20)
        shown.ended("deep, seed 0", 1, 10, ["no memory", "no memory"])
    assert lines(screen) == ["plain, seed 0: done; 20 s left", "deep, seed 0: failed: no memory; 40 s in all"]


def test_without_a_terminal_a_line_now_and_then_says_what_runs(clock, screen, monkeypatch):
    monkeypatch.setattr(going_on, "TICK", 1e6)  # the thread sleeps: it is we who ask
    with StudyProgress(screen, 2, 80) as shown:
        shown.started("plain, seed 0")
        for _ in range(7):
            clock(1)
            shown.heartbeat.beat()
    assert lines(screen) == [f"{left} s left; running: plain, seed 0" for left in (77, 74)]


def test_what_runs_is_shown_on_a_terminal(clock):
    screen = Console(file=io.StringIO(), width=200, force_terminal=True)
    with StudyProgress(screen, 2, 20) as shown:
        shown.started("plain, seed 0")
        shown.started("deep, seed 0")
        assert shown.bar.tasks[0].description == "20 s left; running: plain, seed 0; deep, seed 0"
        clock(10)
        shown.ended("plain, seed 0", 1, 10, [])
        assert shown.bar.tasks[0].description == "10 s left; running: deep, seed 0"
        assert (shown.bar.tasks[0].completed, shown.bar.tasks[0].total) == (1, 2)


def test_jobs_of_which_no_time_is_known(clock, screen):
    shown = StudyProgress(screen, 2, 0)
    shown.started("a")
    clock(10)
    shown.ended("a", 1, 0, [])
    assert shown.time_left() == "10 s in all"


def test_a_stack_counts_as_its_runs_and_what_is_left_of_one_is_told(clock, screen):
    """Of six runs, expected to take 60 s, one has ended in 30 s; the other five go on alone."""
    screen = Console(file=io.StringIO(), width=200, force_terminal=True)
    with StudyProgress(screen, 6, 60) as shown:
        shown.started("plain, 6 seeds")
        clock(30)
        shown.ended("plain, 6 seeds", 1, 60, [])
        shown.apart("plain, 6 seeds", "no memory", 50)
        assert (shown.bar.tasks[0].completed, shown.bar.tasks[0].total) == (1, 6)
        assert shown.time_left() == "25 s left"  # half of what was expected, as before
        clock(5)
        shown.show()
        assert shown.bar.tasks[0].description == "20 s left; running: nothing"
    assert "plain, 6 seeds: no memory; training its runs one by one" in screen.file.getvalue()
