"""What a person sees while a run trains: a bar with the time left, and one line for every evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

NAMES = {
    "train_loss": "train loss",
    "train_auxiliary_loss": "auxiliary",
    "train_top1": "top-1",
    "val_loss": "val loss",
    "val_auxiliary_loss": "auxiliary",
    "val_top1": "top-1",
    "test_loss": "test (peek) loss",
    "test_auxiliary_loss": "auxiliary",
    "test_top1": "top-1",
}


class Reporter:
    """Prints to `console`; a console made with quiet=True prints nothing."""

    def __init__(self, console: Console, total_steps: int, start: int):
        columns = (
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps,"),
            TimeRemainingColumn(),
        )
        self.console = console
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
        parts = [f"epoch {first['epoch']:6.1f}", f"step {first['step']:>6}"]
        for key, name in NAMES.items():
            values = [line[key] for line in lines if key in line]
            if values:
                mean = sum(values) / len(values)
                parts.append(f"{name} {mean:.1%}" if key.endswith("top1") else f"{name} {mean:.4f}")
        runs = f"  (mean of {len(lines)} runs)" if len(lines) > 1 else ""
        self.bar.console.print("  ".join(parts) + f"  {first['seconds']:.0f} s{runs}", highlight=False)
