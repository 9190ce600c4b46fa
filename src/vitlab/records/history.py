"""A run's history: metrics.jsonl, a line an evaluation.

Only this record grows. A last line that was cut off by a crash is left out when it is read.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError, SpecError
from vitlab.base.files import append_line, read_lines, write_lines
from vitlab.base.metric import Metric
from vitlab.base.words import shown
from vitlab.records._base import Numbers, check_numbers, check_ranges, damaged

FILE = "metrics.jsonl"


def read_history(folder: Path, metrics: Mapping[str, Metric] = {}) -> list[Numbers]:
    """The lines: `step`, `epoch`, `images_seen`, `lr`, `seconds`, and what was measured. Raises DataError.

    `metrics` say what that is, as far as its range is to be checked.
    """
    lines = list(enumerate(read_lines(folder / FILE), 1))
    return [_checked(line, f"{folder / FILE}, line {number},", metrics) for number, line in lines]


class Histories:
    """The histories of runs, each read once, however many ask for it."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, frozenset[str]], list[Numbers]] = {}

    def read(self, folder: Path, metrics: Mapping[str, Metric]) -> list[Numbers]:
        """As `read_history`."""
        key = folder, frozenset(metrics)
        if key not in self._read:
            self._read[key] = read_history(folder, metrics)
        return self._read[key]


def peeks(history: Sequence[Numbers]) -> bool:
    """Whether the test split was measured along the training."""
    return any(name.startswith("test_") for line in history for name in line)


def add_to_history(folder: Path, line: Mapping[str, Any]) -> None:
    """Add a line, on the disk before this returns."""
    append_line(folder / FILE, line)


def cut_history(folder: Path, step: int) -> None:
    """Drop the lines after `step`: a resumed run writes them again."""
    write_lines(folder / FILE, [line for line in read_history(folder) if line["step"] <= step])


def _checked(line: Any, what: str, metrics: Mapping[str, Metric]) -> Numbers:
    if not isinstance(line, dict) or "step" not in line:
        raise DataError(f"{what} is damaged: it has no step")
    with damaged(what):
        if not isinstance(step := line["step"], int) or isinstance(step, bool) or step < 0:
            raise SpecError(f"step={shown(step)}: expected a whole number of steps")
        check_numbers("line", line)
        check_ranges("line", line, metrics)
    return line
