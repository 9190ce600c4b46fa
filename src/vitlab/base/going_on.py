"""What is going on, for a person who waits: on a terminal as a line that moves, elsewhere as a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

SELDOM = 1.0  # seconds between two lines where there is no terminal
SOON, RARELY = 2.5, 60.0  # seconds of silence until a line says that it goes on: at first, and in the end

Say = Callable[[str], object]  # is told what is being done


def unsaid(text: str) -> None:
    """What is told to nobody."""


class Pace:
    """When to say, where there is no terminal, that it still goes on: soon, and then half as often each time."""

    def __init__(self) -> None:
        self.wait, self.last = SOON, time.monotonic()

    def due(self) -> bool:
        """Whether it is time for a line, which is then taken for said."""
        if time.monotonic() - self.last < self.wait:
            return False
        self.wait = min(2 * self.wait, RARELY)
        self.said()
        return True

    def said(self) -> None:
        """Something was printed: silence begins anew."""
        self.last = time.monotonic()


@contextmanager
def going_on(console: "Console", what: str = "") -> Iterator[Say]:
    """Show what is done while the block runs, `what` and then whatever its value is told."""
    with _on_terminal(console) if console.is_terminal else _as_lines(console) as say:
        if what:
            say(what)
        yield say


@contextmanager
def _on_terminal(console: "Console") -> Iterator[Say]:
    """A line with the time that has passed since it changed; it disappears in the end."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    one_line = Column(no_wrap=True, overflow="ellipsis")
    text = TextColumn("{task.description}", markup=False, table_column=one_line)
    with Progress(SpinnerColumn(), text, TimeElapsedColumn(), console=console, transient=True) as shown:
        task = shown.add_task("", total=None, visible=False)
        yield lambda what: shown.reset(task, description=f"{what} …", visible=True)


@contextmanager
def _as_lines(console: "Console") -> Iterator[Say]:
    """A line for the first and for what is done when nothing was printed for a while."""
    printed = -SELDOM

    def say(what: str) -> None:
        nonlocal printed
        if time.monotonic() - printed >= SELDOM:
            console.print(f"{what} …", highlight=False)
            printed = time.monotonic()

    yield say
