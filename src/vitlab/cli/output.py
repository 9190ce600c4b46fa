"""Output of the verbs: one JSON object with --json, tables and lines for people without."""

import errno
import importlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


RANK = int(os.environ.get("RANK", "0"))  # which process of a job this is, where torchrun started several


class Terminal(TextIOWrapper):
    """A terminal. When it is closed, what is printed is lost, and nothing else: a training that saves itself and stops
    comes to print first.
    """

    def write(self, text: str) -> int:
        with _unless_closed():
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with _unless_closed():
            super().flush()


@contextmanager
def _unless_closed() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:  # what a terminal answers that is no more
            raise


def prepare_streams() -> None:
    """Let standard output and error take all letters of our texts, or of a name, and survive their terminal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
            if stream.isatty():
                setattr(sys, name, Terminal(stream.buffer, stream.encoding, "backslashreplace", line_buffering=True))


def console(quiet: bool = False, stderr: bool = False) -> "Console":
    """Where verbs print for people: standard output, or nowhere when standard output belongs to --json.

    What is seen only while one waits may go to standard error. Of several processes that do one thing together the
    first speaks. Words are printed as they are: a file may be called "cat [a].png". On a terminal lines are broken
    between words; a file or a pipe gets them whole.
    """
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    as_they_are = partial(Console, highlight=False, markup=False, emoji=False)
    width = None if terminal else 140
    return as_they_are(quiet=quiet or RANK > 0, stderr=stderr, soft_wrap=not terminal, width=width)


def load_torch(console: "Console") -> None:
    """Load what takes seconds to load, and say so."""
    if "torch" not in sys.modules:
        from vitlab.base.going_on import going_on

        with going_on(console, "loading PyTorch"), _leaving_at_once(console):
            importlib.import_module("torch")


def waiting(json: bool) -> "Console":
    """Where a verb says what one waits for, once PyTorch is loaded: standard error, as its answer is data."""
    told = console(quiet=json, stderr=True)
    load_torch(told)
    return told


@contextmanager
def _leaving_at_once(console: "Console") -> Iterator[None]:
    """Ctrl-C ends the process, as nothing would be lost: an exception in the midst of C++ would be its abort."""

    def leave(*_: object) -> None:
        console.show_cursor()
        sys.stdout.flush()
        os._exit(130)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def print_json(values: Mapping[str, Any]) -> None:
    """The one JSON object of a verb's standard output."""
    if RANK == 0:
        print(json.dumps(values))


def json_text(value: Any) -> str:
    """A value as it is written after --set PATH=."""
    return value if isinstance(value, str) else json.dumps(value)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; all columns but the first are aligned to the right where they are numbers.

    On a terminal that is too narrow for a table without broken words each row becomes a paragraph.
    """
    from rich.table import Table

    screen = console()
    if screen.is_terminal and _least_width(columns, rows) > screen.width:
        screen.print(title)
        for first, *rest in rows:
            told = "; ".join(f"{name} {value}" for name, value in zip(columns[1:], rest, strict=True) if value)
            screen.print(f"{first}: {told}")
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        numeric = index > 0 and all(row[index][:1].isdigit() or row[index] in ("", "–") for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    screen.print(table)


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """What a table takes if every cell is broken between words, and no word is."""
    words = [" ".join(column).split() for column in zip(columns, *rows, strict=True)]
    return sum(max(map(len, column), default=0) for column in words) + 2 * (len(columns) - 1)


def print_prose(text: str) -> None:
    """A text of paragraphs, broken anew where the terminal is narrower than its lines; what is indented stays."""
    screen = console()
    if screen.is_terminal and max(map(len, text.splitlines()), default=0) > screen.width:
        text = re.sub(r"(?<=[^\n])\n(?=[^\s])", " ", text)
    screen.print(text)


def count(value: float) -> str:
    """12,345,678 with the thousands apart."""
    return f"{value:,.0f}"


def percent(value: float | None) -> str:
    """0.9583 as 95.83 %; a missing value as a dash."""
    return "–" if value is None else f"{100 * value:.2f} %"
