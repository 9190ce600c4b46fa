"""The progress of a study, for a person: jobs done, those running, the time left; a line for each that has ended."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column

from vitlab.base.durations import roughly
from vitlab.base.going_on import Heartbeat


class StudyProgress:
    """Prints to `console`; the time left follows from what tasks were expected to take, and what they took.

    `runs`: how many there are; `seconds`: what they are expected to take, in all.
    """

    def __init__(self, console: Console, runs: int, seconds: float):
        self.console, self.left, self.done = console, seconds, 0.0
        self.running: list[str] = []
        self.started_at = self.known_at = time.monotonic()
        rest = Column(no_wrap=True, overflow="ellipsis")  # of the line
        columns = (
            TextColumn("study"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False, table_column=rest),
        )
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task("", total=runs)
        self.heartbeat = Heartbeat(console, self.told)

    def __enter__(self) -> "StudyProgress":
        self.bar.start()
        self.heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.heartbeat.__exit__()
        self.bar.stop()

    def started(self, name: str) -> None:
        """A task has begun."""
        self.running.append(name)
        self.show()

    def ended(self, name: str, runs: int, seconds: float, failures: Sequence[str]) -> None:
        """A task that was expected to take `seconds` has ended `runs`; `failures` are the reasons of failed ones."""
        self.running.remove(name)
        self.known_at = time.monotonic()
        self.left, self.done = self.left - seconds, self.done + seconds
        self.bar.advance(self.task, runs)
        if runs:
            what = f"failed: {failures[0]}" if failures else "done"
            self.bar.console.print(f"{name}: {what}; {self.time_left()}", highlight=False)
            self.heartbeat.said()
        self.show()

    def apart(self, name: str, reason: str, seconds: float) -> None:
        """What is left of a task is trained run by run, which is expected to take `seconds`."""
        self.left += seconds
        self.bar.console.print(f"{name}: {reason}; training its runs one by one", highlight=False)

    def time_left(self) -> str:
        """About how long the rest will take: expectations, corrected by what the tasks so far have taken."""
        now = time.monotonic()
        if self.left <= 1e-9:
            return f"{roughly(now - self.started_at)} in all"
        factor = (self.known_at - self.started_at) / self.done if self.done else 1.0
        return f"{roughly(max(0.0, self.left * factor - (now - self.known_at)))} left"

    def told(self) -> str:
        """The time left, and what is being trained."""
        return f"{self.time_left()}; running: {'; '.join(self.running) or 'nothing'}"

    def show(self) -> None:
        """Bring what a terminal shows up to date."""
        self.bar.update(self.task, description=self.told())
