"""What a person who waits is told."""

import io
from itertools import pairwise

import pytest
from rich.console import Console

from vitlab.base import going_on as module
from vitlab.base.going_on import Heartbeat, going_on


@pytest.fixture
def clock(monkeypatch):
    """`clock(10)`: ten seconds go by."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def lines(screen):
    return screen.file.getvalue().splitlines()


def test_without_a_terminal_a_line_at_the_beginning_and_now_and_then(clock):
    screen = Console(file=io.StringIO(), width=80)
    with going_on(screen, "measuring") as say:
        say("too soon")
        clock(1.5)
        say("round 1")
        clock(0.5)
        say("round 2")
    assert lines(screen) == ["measuring …", "round 1 …"]


def test_on_a_terminal_a_line_that_disappears():
    screen = Console(file=io.StringIO(), width=40, force_terminal=True)
    with going_on(screen, "measuring [x]") as say:
        say("a text that is longer than the forty columns of this terminal")
    shown = screen.file.getvalue()
    assert "a text that is longer than" in shown
    assert "this terminal" not in shown


def test_who_wants_to_hear_nothing_hears_nothing():
    screen = Console(file=io.StringIO(), quiet=True)
    with going_on(screen, "measuring") as say:
        say("on")
    assert screen.file.getvalue() == ""


def test_lines_come_soon_and_then_ever_more_rarely(clock, monkeypatch):
    monkeypatch.setattr(module, "TICK", 1e6)  # the thread sleeps: it is we who ask
    screen, at = Console(file=io.StringIO(), width=80), []
    with Heartbeat(screen, lambda: f"{at.pop()} s") as heartbeat:
        for second in range(1, 3600):
            clock(1)
            at.append(second)
            heartbeat.beat()
        told = [int(line.split()[0]) for line in lines(screen)]
        silences = {later: later - earlier for earlier, later in pairwise(told)}
        assert told[0] == 3
        assert max(silence for second, silence in silences.items() if second <= 150) == 3
        assert all(silence <= second / 50 + 1 for second, silence in silences.items() if second > 150)
        assert max(silences.values()) == 60
        clock(59)
        heartbeat.said()  # something else was printed
        clock(2)
        heartbeat.beat()
        assert len(lines(screen)) == len(told)


def test_a_block_that_says_nothing_is_told_of_by_a_thread(monkeypatch):
    monkeypatch.setattr(module, "SOON", 0.02)
    monkeypatch.setattr(module, "TICK", 0.01)
    screen = Console(file=io.StringIO(), width=80)
    with going_on(screen, "measuring"):
        while len(lines(screen)) < 3:
            module.time.sleep(0.01)
    assert lines(screen)[:2] == ["measuring …", "measuring … 0 s"]
