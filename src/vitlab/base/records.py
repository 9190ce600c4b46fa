"""Run directories: the only interface between running and reading.

    spec.json            {"schema", "recipe", "id", "init", "spec"}        what was asked for
    env.json             {"schema", "hardware", "accelerator", "versions", "commit", "command", "choices", …}
    preprocessing.json   {"schema", "img_size", "fit", "ops", "mean", "std", "class_names"}
    data.json            {"schema", "order", "train", "val", "test"}       how many pictures, which were unreadable
    metrics.jsonl        one line an evaluation: step, epoch, images_seen, lr, train_loss, val_loss, …
    result.json          {"schema", "status", "reason", "metrics"}
    predictions.npz      the test split's labels and probabilities, and pictures of its worst mistakes
    checkpoint/          safetensors and JSON, see `vitlab.checkpoints.native`
    tensorboard/         where it was asked for, the lines of metrics.jsonl as TensorBoard's events: a view, no record

Every file is written whole or not at all: into a temporary file, flushed to the disk, then renamed. Only metrics.jsonl
grows, line by line; a last line that was cut off is left out when it is read.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError

SCHEMA = 1


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write the temporary path that this yields; when the block ends well, it becomes `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files behind them."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a record, with the schema's version first."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"schema": SCHEMA, **values}, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a record. Raises DataError if it is absent, damaged, or of a newer vitlab."""
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; is {path.parent} a run directory?") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged: {error}") from None
    if not isinstance(values, dict) or not isinstance(values.get("schema", 0), int):
        raise DataError(f"{path} is damaged: not a record")
    if values.get("schema", 0) > SCHEMA:
        raise DataError(f"{path} has schema {values['schema']}; this vitlab reads up to {SCHEMA}")
    return values


def read_field(path: Path, name: str) -> Any:
    """One field of a record. Raises DataError if the record has none."""
    values = read_json(path)
    if name not in values:
        raise DataError(f"{path} is damaged: it has no {name!r}")
    return values[name]


def append_line(path: Path, values: Mapping[str, Any]) -> None:
    """Add one line to a .jsonl file, on the disk before this returns."""
    with path.open("a") as file:
        file.write(json.dumps(values) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a .jsonl file; a last line that was cut off by a crash is left out. Raises DataError for others."""
    lines = []
    texts = path.read_text().splitlines() if path.exists() else []
    for number, text in enumerate(texts, start=1):
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError as error:
            if number < len(texts):
                raise DataError(f"{path} is damaged at line {number}: {error}") from None
    return lines


def keep_lines_until(path: Path, step: int) -> None:
    """Drop the lines after `step`: a resumed run writes them again."""
    kept = [line for line in read_lines(path) if line["step"] <= step]
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept))
