"""The progress of a training, for a person: a bar with the time left, and one line for every evaluation."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from vitlab.base.durations import roughly
from vitlab.base.going_on import Heartbeat
from vitlab.base.metric import Metric
from vitlab.train.spec import RunSpec

SPLITS = {"train": "train", "val": "val", "test": "test (peek)"}


class Reporter:
    """Prints to `console`; a console made with quiet=True prints nothing. Without a terminal a line now and then says
    how far it is.
    """

    def __init__(self, console: Console, spec: RunSpec, total_steps: int, start: int):
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("steps,"),
            TimeRemainingColumn(),
        )
        self.console, self.metrics = console, spec.measured()
        self.bar = Progress(
            *columns, TextColumn("left"), console=console, transient=True, disable=not console.is_terminal
        )
        self.task = self.bar.add_task("training", total=total_steps, completed=start)
        self.start, self.taken, self.total, self.started = start, start, total_steps, time.monotonic()
        self.doing = "training"
        self.heartbeat = Heartbeat(console, self.told)

    def __enter__(self) -> "Reporter":
        self.bar.start()
        self.heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.heartbeat.__exit__()
        self.bar.stop()

    def step(self, step: int) -> None:
        """`step` steps are taken."""
        self.taken = step
        self.bar.update(self.task, completed=step)

    def told(self) -> str:
        """How far it is."""
        if self.doing != "training":
            return f"{self.doing} after step {self.taken} of {self.total}"
        how_far, taken = f"step {self.taken} of {self.total}", self.taken - self.start
        if taken == 0:
            return how_far
        left = (time.monotonic() - self.started) / taken * (self.total - self.taken)
        return f"{how_far}, about {roughly(left)} left"

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Show that the block evaluates."""
        self.doing = "evaluating"
        self.bar.update(self.task, description=self.doing)
        yield
        self.doing = "training"
        self.bar.update(self.task, description=self.doing)

    def evaluated(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Print one line of means over the runs that were evaluated; if it is too long, without what the bar shows."""
        first, means = lines[0], list(self._means(lines))
        epoch, step = f"epoch {first['epoch']:6.1f}", f"step {first['step']:>6}"
        runs = [f"(mean of {len(lines)} runs)"] if len(lines) > 1 else []
        line = "  ".join([epoch, step, *means, f"{first['seconds']:.0f} s", *runs])
        short = "  ".join([epoch, *means])
        self.console.print(line if len(line) <= self.console.width else short, highlight=False)
        self.heartbeat.said()

    def looked(self, measured: Sequence[Mapping[str, Any]], seconds: float) -> None:
        """Print what an early look saw, means over the runs."""
        means = "  ".join(self._means(measured))
        self.console.print(f"a first look at some images, after {seconds:.0f} s: {means}", highlight=False)
        self.heartbeat.said()

    def _means(self, lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """What was measured of each split, the split's name before the first of its metrics."""
        for split, called in SPLITS.items():
            names = [name for name in self.metrics if name.startswith(f"{split}_") and self.metrics[name].brief]
            measured = [name for name in names if name in lines[0]]
            for place, name in enumerate(measured):
                told = _told(self.metrics[name], [line[name] for line in lines if line[name] is not None])
                yield f"{called} {told}" if place == 0 else told


def _told(metric: Metric, values: Sequence[float]) -> str:
    """The mean of what runs gave; a dash where none has a value."""
    if not values:
        return f"{metric.title} –"
    value = sum(values) / len(values)
    return f"{metric.title} {value:.1%}" if metric.is_fraction else f"{metric.title} {value:.4f}"
