"""A run's history: metrics.jsonl, a line an evaluation.

Only this record grows. A last line that was cut off by a crash is left out when it is read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError, SpecError
from vitlab.base.files import append_line, read_lines, write_lines
from vitlab.records._base import Numbers, check_numbers

FILE = "metrics.jsonl"


def read_history(folder: Path) -> list[Numbers]:
    """The lines: `step`, `epoch`, `images_seen`, `lr`, `seconds`, and what was measured. Raises DataError."""
    path = folder / FILE
    return [_checked(line, f"{path} is damaged at line {number}") for number, line in enumerate(read_lines(path), 1)]


def add_to_history(folder: Path, line: Mapping[str, Any]) -> None:
    """Add a line, on the disk before this returns."""
    append_line(folder / FILE, line)


def cut_history(folder: Path, step: int) -> None:
    """Drop the lines after `step`: a resumed run writes them again."""
    write_lines(folder / FILE, [line for line in read_history(folder) if line["step"] <= step])


def _checked(line: Any, problem: str) -> Numbers:
    if not isinstance(line, dict) or not isinstance(line.get("step"), int):
        raise DataError(f"{problem}: it has no step")
    try:
        check_numbers("line", line)
    except SpecError as error:
        raise DataError(f"{problem}: {error}") from None
    return line
