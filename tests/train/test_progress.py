"""What is printed while a run trains."""

import io

import pytest
from rich.console import Console

from vitlab.train.progress import Reporter

LINE = {"epoch": 2.0, "step": 40, "seconds": 7.2, "val_loss": 0.5, "val_top1": 0.25}


@pytest.fixture
def reported(tiny_run):
    """`reported(lines…)`: what is printed of an evaluation of a run, with these settings."""

    def report(*lines, settings=None, quiet=False):
        console = Console(file=io.StringIO(), width=200, quiet=quiet)
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


def test_quiet_is_quiet(reported):
    assert reported(LINE, quiet=True) == ""
