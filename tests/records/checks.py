"""What holds of every record, whatever it says."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from vitlab.base.errors import DataError
from vitlab.records._base import Record


def check_record(record: Record, folder: Path, required: Sequence[str], wrong: Sequence[str]) -> None:
    """It comes back as it was written; what is absent, cut off, of a later version or of another type is told.

    `required`: keys without which there is no record; `wrong`: keys that `{"no": "such"}` is no value of.
    """
    kind, path = type(record), folder / record.file
    assert not kind.exists(folder)
    assert kind.read_if_there(folder) is None
    with pytest.raises(DataError, match=rf"{record.file} does not exist"):
        kind.read(folder)

    record.write(folder)
    written = path.read_text()
    assert kind.exists(folder)
    assert kind.read(folder) == kind.read_if_there(folder) == record
    values = json.loads(written)
    assert values["schema"] == record.schema

    path.write_text(json.dumps(values | {"of_a_later_version": 1}))
    assert kind.read(folder) == record
    for key in required:
        path.write_text(json.dumps({name: value for name, value in values.items() if name != key}))
        with pytest.raises(DataError, match=rf"{record.file} is damaged: {key} is missing"):
            kind.read(folder)
    for key in wrong:
        path.write_text(json.dumps(values | {key: {"no": "such"}}))
        with pytest.raises(DataError, match=rf"{record.file} is damaged: .*{key}"):
            kind.read(folder)
    path.write_text(json.dumps(values | {"schema": record.schema + 1}))
    with pytest.raises(
        DataError, match=rf"from a newer vitlab: schema {record.schema + 1}; this one reads up to {record.schema}"
    ):
        kind.read(folder)
    path.write_text(written[: len(written) // 2])
    with pytest.raises(DataError, match=rf"{record.file} is damaged"):
        kind.read(folder)
    path.write_text(written)
