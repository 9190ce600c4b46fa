"""What is going on, for a person who waits: on a terminal as a line that moves, elsewhere as a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from vitlab.base.durations import roughly

if TYPE_CHECKING:
    from rich.console import Console

SELDOM = 1.0  # seconds between two lines where there is no terminal
SHARE = 1 / 50  # of the time that has passed may go by in silence where there is no terminal,
SOON, RARELY = 2.5, 60.0  # but not less and not more seconds than these
TICK = 0.25  # seconds between two looks at whether a line is due

Say = Callable[[str], object]  # is told what is being done


def unsaid(text: str) -> None:
    """What is told to nobody."""


class Heartbeat:
    """Where there is no terminal, a line that says that it goes on, as `told()` gives it: soon, and ever more rarely.

    A thread prints it, so that it comes whatever the block is busy with.
    """

    def __init__(self, console: "Console", told: Callable[[], str]):
        self.console, self.told = console, told
        self.began = self.last = time.monotonic()
        self.over = Event()
        self.thread = None if console.is_terminal or console.quiet else Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Heartbeat":
        if self.thread is not None:
            self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        if self.thread is not None:
            self.thread.join()

    def said(self) -> None:
        """Something else was printed: silence begins anew."""
        self.last = time.monotonic()

    def beat(self) -> None:
        """Print the line if it is time."""
        now = time.monotonic()
        if now - self.last >= min(max(SOON, SHARE * (now - self.began)), RARELY):
            self.said()
            if told := self.told():
                self.console.print(told, highlight=False)

    def _beat(self) -> None:
        with suppress(OSError):  # whoever read it has left, which the block will find out
            while not self.over.wait(TICK):
                self.beat()


@contextmanager
def going_on(console: "Console | None", what: str = "", at_once: bool = True) -> Iterator[Say]:
    """Show what is done while the block runs, `what` and then whatever its value is told; where there is no terminal at
    once, or only when it lasts. Without a console nothing is shown.
    """
    if console is None:
        yield unsaid
        return
    with _on_terminal(console) if console.is_terminal else _as_lines(console, at_once) as say:
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
def _as_lines(console: "Console", at_once: bool) -> Iterator[Say]:
    """A line for the first and for what is done when nothing was printed for a while; another while it goes on."""
    doing, since, printed = "", time.monotonic(), -SELDOM

    def say(what: str) -> None:
        nonlocal doing, since, printed
        doing, since = what, time.monotonic()
        if at_once and since - printed >= SELDOM:
            console.print(f"{what} …", highlight=False)
            heartbeat.said()
            printed = since

    def told() -> str:
        return f"{doing} … {roughly(time.monotonic() - since)}" if doing else ""

    with Heartbeat(console, told) as heartbeat:
        yield say
