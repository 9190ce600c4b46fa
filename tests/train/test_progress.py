import io

from rich.console import Console

from vitlab.train.progress import Reporter

LINE = {"epoch": 2.0, "step": 40, "seconds": 7.2, "val_loss": 0.5, "val_top1": 0.25}


def reported(*lines):
    console = Console(file=io.StringIO(), width=200)
    with Reporter(console, 100, 0) as reporter:
        reporter.step(40)
        reporter.evaluated(lines)
    return console.file.getvalue()


def test_a_line_for_an_evaluation():
    text = reported(LINE)
    assert "step     40" in text
    assert "val loss 0.5000  top-1 25.0%" in text
    assert "7 s" in text
    assert "runs" not in text


def test_stacked_runs_are_averaged_and_peeks_are_called_so():
    text = reported(LINE, LINE | {"val_top1": 0.75, "test_loss": 1.0})
    assert "top-1 50.0%" in text
    assert "test (peek) loss 1.0000" in text
    assert "mean of 2 runs" in text


def test_an_auxiliary_loss_stands_beside_the_loss():
    text = reported(
        LINE | {"train_loss": 1.0, "train_top1": 0.5, "train_auxiliary_loss": 2.0, "val_auxiliary_loss": 3.0}
    )
    assert "train loss 1.0000  auxiliary 2.0000  top-1 50.0%  val loss 0.5000  auxiliary 3.0000  top-1 25.0%" in text


def test_quiet_is_quiet():
    console = Console(file=io.StringIO(), quiet=True)
    with Reporter(console, 100, 0) as reporter:
        reporter.evaluated([LINE])
    assert console.file.getvalue() == ""
