"""A report's tables: what a person reads, what is sorted by, and the exact values for a CSV file. HTML is elsewhere."""

import base64
import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO

from vitlab.report.beside import Beside

Value = float | int | str | None


@dataclass(frozen=True)
class Column:
    """What stands over a column, what it means, and what its values are called in the CSV file; whether it stands there
    `always`, also where no row knows anything, because that is what it says.
    """

    title: str
    names: tuple[str, ...]
    meaning: str = ""
    numeric: bool = True
    always: bool = False


@dataclass(frozen=True)
class Entry:
    """One place of a table. `text` is None where nothing is known, and then `note` says why."""

    text: str | None
    values: tuple[Value, ...]  # as many as the column has names; sorting takes the first
    note: str = ""
    mark: str = ""  # a CSS class


@dataclass(frozen=True)
class Table:
    """A table with a row's name in its first column."""

    name: str  # of its file
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Entry, ...], ...]
    address: str = ""  # a data address of its CSV file

    @property
    def filled(self) -> "Table":
        """The table without its empty columns: what a person reads. The CSV file has them all."""
        empty = self.empty
        shown = [at for at, column in enumerate(self.columns) if column.title not in empty]
        rows = tuple(tuple(row[at] for at in shown) for row in self.rows)
        return replace(self, columns=tuple(self.columns[at] for at in shown), rows=rows)

    @property
    def empty(self) -> tuple[str, ...]:
        """Titles under which no row knows anything; what stands side by side stays while either side has a value."""
        titles = [column.title for column in self.columns]
        known = {column.title for column in self.columns if column.always}
        known |= {
            title for row in self.rows for title, entry in zip(titles, row, strict=True) if entry.text is not None
        }
        return tuple(title for title in dict.fromkeys(titles) if title not in known) if self.rows else ()

    def kept(self, beside: Beside) -> "Table":
        """Put `NAME.csv`, with unrounded values, beside the page; the table with the file's address."""
        header = [name for column in self.columns for name in column.names]
        add_csv(beside, self.name, header, [[v for entry in row for v in entry.values] for row in self.rows])
        written = base64.b64encode(beside[f"{self.name}.csv"]).decode()
        return replace(self, address=f"data:text/csv;charset=utf-8;base64,{written}")


def named(name: str) -> Entry:
    """A row's name."""
    return Entry(name, (name,))


def absent(why: str, values: int = 1) -> Entry:
    """A place with nothing in it, and why."""
    return Entry(None, (None,) * values, why)


def add_csv(beside: Beside, name: str, header: Sequence[str], rows: Sequence[Sequence[Value]]) -> None:
    """Write `folder/NAME.csv`; what is missing is an empty field."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    beside.add_text(f"{name}.csv", text.getvalue())
