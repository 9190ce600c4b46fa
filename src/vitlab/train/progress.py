"""The progress of a training, for a person: a bar with the time left, and one line for every evaluation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vitlab.base.metric import Metric
from vitlab.train.spec import RunSpec

SPLITS = {"train": "train", "val": "val", "test": "test (peek)"}


class Reporter:
    """Prints to `console`; a console made with quiet=True prints nothing."""

    def __init__(self, console: Console, spec: RunSpec, total_steps: int, start: int):
        columns = (
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps,"),
            TimeRemainingColumn(),
        )
        self.console, self.metrics = console, spec.measured()
        self.bar = Progress(
            *columns, TextColumn("left"), console=console, transient=True, disable=not console.is_terminal
        )
        self.task = self.bar.add_task("", total=total_steps, completed=start)

    def __enter__(self) -> "Reporter":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def step(self, step: int) -> None:
        """`step` steps are taken."""
        self.bar.update(self.task, completed=step)

    def evaluated(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Print one line of means over the runs that were evaluated."""
        first = lines[0]
        parts = [f"epoch {first['epoch']:6.1f}", f"step {first['step']:>6}", *self._means(lines)]
        runs = f"  (mean of {len(lines)} runs)" if len(lines) > 1 else ""
        self.bar.console.print("  ".join(parts) + f"  {first['seconds']:.0f} s{runs}", highlight=False)

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
