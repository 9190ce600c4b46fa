"""Files that are written whole or not at all: into a temporary file, flushed to the disk, then renamed.

What stands in them, and in which folder, is in `vitlab.records`. A file of lines only grows, line by line; a last line
that was cut off by a crash is left out when it is read.
"""

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any
from uuid import uuid4

from vitlab.base.errors import DataError, OtherVersion, SpecError
from vitlab.base.words import shortened, shown

_DEEPEST = 64  # levels of a record; ours have a dozen
_LONGEST = 1 << 26  # bytes of a record; the names of a million unreadable pictures are not many more
_MOST_DIGITS = 20  # of a whole number
SCHEMA = 1  # of a record whose class says nothing else


@contextmanager
def replacing(path: Path, unless_there: bool = False) -> Iterator[Path]:
    """Write the temporary path that this yields; when the block ends well, it becomes `path` in one step.

    `unless_there`: what has come to stand there meanwhile stays: of several processes the first has written it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")  # a process on another machine may have our number
    try:
        with naming(path):
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            if not (unless_there and _linked(temporary, path)):
                temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _linked(temporary: Path, path: Path) -> bool:
    """Whether `path` is there now, be it ours; False on a disk that has no links."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the disk say which file it is about, as the error of a write does not by itself."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextmanager
def naming_source(path: Path | str) -> Iterator[None]:
    """Let a refusal of settings say which file they were read from."""
    try:
        yield
    except SpecError as error:
        raise type(error)(f"{path}: {error}") from None


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files behind them."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder, and writes its names with the files
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, values: Mapping[str, Any], schema: int = SCHEMA, unless_there: bool = False) -> None:
    """Write a record, whole or not at all; `unless_there`: as for `replacing`."""
    with replacing(path, unless_there) as temporary:
        temporary.write_text(json_text(values, schema), encoding="utf-8")


def json_text(values: Mapping[str, Any], schema: int = SCHEMA) -> str:
    """A record as its file has it, with the schema's version first."""
    return json.dumps({"schema": schema, **values}, indent=2) + "\n"


def read_json(path: Path, schema: int = SCHEMA, oldest: int = 0) -> dict[str, Any]:
    """Read a record.

    Raises DataError if it is absent or damaged, OtherVersion if its schema is not read any more, or not yet.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; is {path.parent} a run directory?")
    try:
        values = _object_in(path)
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}") from None
    written = values.get("schema", 0)
    if not isinstance(written, int) or isinstance(written, bool):
        raise DataError(f"{path} is damaged: schema={shown(written)}: expected a whole number")
    if written > schema:
        raise OtherVersion(f"{path} is from a newer vitlab: schema {written}; this one reads up to {schema}")
    if written < oldest:
        raise OtherVersion(f"{path} is from an earlier vitlab: schema {written}; this one reads {oldest} and later")
    return values


def read_object(path: Path) -> dict[str, Any]:
    """The settings in a file of JSON that somebody wrote. Raises DataError, whatever is wrong with it."""
    try:
        return _object_in(path)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def read_names(path: Path) -> list[str]:
    """The lines of a text that somebody wrote, a name each; empty ones are none. Raises DataError."""
    try:
        return [line.strip() for line in _text_of(path).splitlines() if line.strip()]
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def _object_in(path: Path) -> dict[str, Any]:
    """Raises ValueError where a file has none."""
    values = parsed(_text_of(path))
    if not isinstance(values, dict):
        raise ValueError(f"expected a JSON object, got {shown(values)}")
    return values


def parsed(text: str) -> Any:
    """What a text of JSON says that anybody may have written. Raises ValueError, whatever is wrong with it."""
    try:
        values = json.loads(text, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise ValueError("it is empty") from None
        raise ValueError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if "\\u" in text:  # half of a pair of them is no letter
        json.dumps(values, ensure_ascii=False).encode()
    level = [values]
    for _ in range(_DEEPEST):
        level = [inside for value in level for inside in _inside(value)]
        if not level:
            return values
    raise ValueError("nested too deeply")


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or abs(number := int(digits)) >= 2**63:
        raise ValueError(f"{shortened(digits, _MOST_DIGITS)} is too large a number")
    return number


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def open_file(path: Path) -> BufferedReader:
    """Open a file to be read. Raises NotAFile for anything else: to open a pipe would wait until somebody writes."""
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotAFile(errno.EINVAL, "not a file", str(path))
    return file


def is_no_file(path: Path) -> bool:
    """Whether something stands there that is no file; a link to nowhere is nothing."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


class NotAFile(OSError):
    """A folder, a pipe or a device where a file should be."""

    def __str__(self) -> str:
        return f"{self.filename} is not a file"


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _text_of(path: Path) -> str:
    """What stands in a file. Raises ValueError for what is none, and for what is too long to be a record."""
    try:
        with naming(path), open_file(path) as file:
            read = file.read(_LONGEST + 1)
    except (IsADirectoryError, NotAFile):
        raise ValueError("not a file") from None
    if len(read) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST:,} bytes")
    try:
        return read.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text, at byte {error.start}") from None


def append_line(path: Path, values: Mapping[str, Any]) -> None:
    """Add one line to a .jsonl file, on the disk before this returns."""
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a .jsonl file; a last line that was cut off by a crash is left out. Raises DataError for others."""
    try:
        texts = _text_of(path).split("\n") if path.exists() else []
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}") from None
    lines = []
    for number, text in enumerate(texts, start=1):
        try:
            lines.append(parsed(text))
        except ValueError as error:
            if number < len(texts):
                raise DataError(f"{path} is damaged at line {number}: {error}") from None
    return lines


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a .jsonl file anew."""
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
