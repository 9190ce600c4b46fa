"""Files that are written whole or not at all: into a temporary file, flushed to the disk, then renamed.

What stands in them, and in which folder, is in `vitlab.records`. A file of lines only grows, line by line; a last line
that was cut off by a crash is left out when it is read.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError, OtherVersion

SCHEMA = 1  # of a record whose class says nothing else


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write the temporary path that this yields; when the block ends well, it becomes `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with naming(path):
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the disk say which file it is about, as the error of a write does not by itself."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


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


def write_json(path: Path, values: Mapping[str, Any], schema: int = SCHEMA) -> None:
    """Write a record, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json_text(values, schema), encoding="utf-8")


def json_text(values: Mapping[str, Any], schema: int = SCHEMA) -> str:
    """A record as its file has it, with the schema's version first."""
    return json.dumps({"schema": schema, **values}, indent=2) + "\n"


def read_json(path: Path, schema: int = SCHEMA, oldest: int = 0) -> dict[str, Any]:
    """Read a record.

    Raises DataError if it is absent or damaged, OtherVersion if its schema is not read any more, or not yet.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; is {path.parent} a run directory?") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged: {error}") from None
    if not isinstance(values, dict) or not isinstance(values.get("schema", 0), int):
        raise DataError(f"{path} is damaged: not a record")
    written = values.get("schema", 0)
    if written > schema:
        raise OtherVersion(f"{path} is from a newer vitlab: schema {written}; this one reads up to {schema}")
    if written < oldest:
        raise OtherVersion(f"{path} is from an earlier vitlab: schema {written}; this one reads {oldest} and later")
    return values


def append_line(path: Path, values: Mapping[str, Any]) -> None:
    """Add one line to a .jsonl file, on the disk before this returns."""
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a .jsonl file; a last line that was cut off by a crash is left out. Raises DataError for others."""
    lines = []
    texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, text in enumerate(texts, start=1):
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError as error:
            if number < len(texts):
                raise DataError(f"{path} is damaged at line {number}: {error}") from None
    return lines


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a .jsonl file anew."""
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
