"""What is printed while a run trains."""

import io

import pytest
from rich.console import Console

from vitlab.base import going_on
from vitlab.train import progress
from vitlab.train.progress import Reporter

LINE = {"epoch": 2.0, "step": 40, "seconds": 7.2, "val_loss": 0.5, "val_top1": 0.25}


@pytest.fixture
def reported(tiny_run):
    """`reported(lines…)`: what is printed of an evaluation of a run, with these settings."""

    def report(*lines, settings=None, quiet=False, width=200):
        console = Console(file=io.StringIO(), width=width, quiet=quiet)
        with Reporter(console, tiny_run(settings), 100, 0) as reporter:
            reporter.step(40)
            reporter.evaluated(lines)
        return console.file.getvalue()

    return report


def test_a_line_for_an_evaluation(reported):
    text = reported(LINE)
    assert "step     40" in text
    assert "val loss 0.5000  top-1 25.0%" in text
    assert "7 s" in text
    assert "runs" not in text


def test_stacked_runs_are_averaged_and_peeks_are_called_so(reported):
    text = reported(LINE, LINE | {"val_top1": 0.75}, settings={"test_every_epoch": True})
    assert "top-1 50.0%" in text
    assert "mean of 2 runs" in text
    peek = LINE | {"test_loss": 1.0}
    assert "test (peek) loss 1.0000" in reported(peek, peek, settings={"test_every_epoch": True})


def test_an_auxiliary_loss_stands_beside_the_loss(reported):
    line = LINE | {"train_loss": 1.0, "train_top1": 0.5, "train_auxiliary_loss": 2.0, "val_auxiliary_loss": 3.0}
    text = reported(line, settings={"model.auxiliary": "decoder"})
    assert "train loss 1.0000  auxiliary loss 2.0000  top-1 50.0%" in text
    assert "val loss 0.5000  auxiliary loss 3.0000  top-1 25.0%" in text


def test_a_line_that_is_too_long_for_the_terminal_leaves_out_what_the_bar_shows(reported):
    line = LINE | {"train_loss": 1.25, "train_top1": 0.5, "seconds": 1234.0}
    assert "step     40" in reported(line)
    (short,) = [text for text in reported(line, width=80).splitlines() if "val" in text]
    assert short == "epoch    2.0  train loss 1.2500  top-1 50.0%  val loss 0.5000  top-1 25.0%"
    assert len(short) <= 80


def test_without_a_terminal_lines_say_that_it_goes_on(tiny_run, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(going_on, "TICK", 1e6)  # the thread sleeps: it is we who ask
    screen = Console(file=io.StringIO(), width=140)
    with Reporter(screen, tiny_run(), 100, 10) as reporter:
        now[0] += 3.0
        reporter.heartbeat.beat()
        for step in range(11, 15):
            now[0] += 1.0
            reporter.step(step)
            reporter.heartbeat.beat()
        for seconds in (1.0, 9.0):
            with reporter.evaluating():
                now[0] += seconds
                reporter.heartbeat.beat()
            reporter.evaluated([LINE])
    told = [line for line in screen.file.getvalue().splitlines() if not line.startswith("epoch")]
    assert told == ["step 10 of 100", "step 13 of 100, about 3 min left", "evaluating after step 14 of 100"]


def test_quiet_is_quiet(reported):
    assert reported(LINE, quiet=True) == ""
