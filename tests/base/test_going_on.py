"""What a person who waits is told."""

import io

import pytest
from rich.console import Console

from vitlab.base import going_on as module
from vitlab.base.going_on import Pace, going_on


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


def test_lines_come_soon_and_then_ever_more_rarely(clock):
    pace, at = Pace(), []
    for second in range(1, 300):
        clock(1)
        if pace.due():
            at.append(second)
    assert at == [3, 8, 18, 38, 78, 138, 198, 258]
    clock(59)
    pace.said()  # something else was printed
    clock(2)
    assert not pace.due()
