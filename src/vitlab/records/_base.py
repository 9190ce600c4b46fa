"""The contract of a record: a file of JSON that one class writes and reads, with the version of its schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from vitlab.base.errors import DataError, SpecError
from vitlab.base.files import read_json, write_json
from vitlab.base.metric import Metric
from vitlab.base.spec import Spec, field_names, from_dict, to_dict

S = TypeVar("S", bound=Spec)

Status = Literal["finished", "failed", "interrupted"]
ENDED: tuple[Status, ...] = ("finished", "failed")  # what stands, however often the command is repeated

# The data that a run's own user gave it; a number, or None for what was not measured
Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Record(Spec):
    """A file of a folder.

    Keys that a later version added to it are passed over; a missing one or a wrong type is damage.
    """

    file: ClassVar[str]
    schema: ClassVar[int] = 1
    oldest: ClassVar[int] = 0  # that is still read

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether the folder has one."""
        return (folder / cls.file).exists()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record in a folder. Raises DataError if it is absent, damaged, or of a vitlab too new or too old."""
        return cls.read_values(read_json(folder / cls.file, cls.schema, cls.oldest), folder / cls.file)

    @classmethod
    def read_if_there(cls, folder: Path) -> Self | None:
        """The record in a folder, or None. Raises DataError if it is damaged."""
        return cls.read(folder) if cls.exists(folder) else None

    @classmethod
    def read_values(cls, values: Mapping[str, Any], path: Path) -> Self:
        """The record of values that were read from `path`."""
        return read_known(cls, values, path)

    def values(self) -> dict[str, Any]:
        """As JSON has it."""
        return to_dict(self)

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        write_json(folder / self.file, self.values(), self.schema)


def read_known(kind: type[S], values: Mapping[str, Any], path: Path) -> S:
    """A spec of values that were read from `path`, but for keys that a later version added. Raises DataError."""
    names = field_names(kind)  # type: ignore[arg-type]  # mypy takes the hash of the instances for the class's
    try:
        return from_dict(kind, {key: value for key, value in values.items() if key in names})
    except SpecError as error:
        raise DataError(f"{path} is damaged: {error}") from None


def check_metric(name: str, metrics: Mapping[str, Metric]) -> None:
    """Refuse a metric of which the record does not say what it is. Raises SpecError."""
    if name not in metrics:
        raise SpecError(f"metric={name}: metrics do not say what it is")


def check_numbers(name: str, values: Mapping[str, Any]) -> None:
    """Refuse what is no finite number, nor null for something that was not measured. Raises SpecError."""
    for key, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and abs(value) < float("inf")):
            raise SpecError(f"{name}.{key}={value!r}: expected a number, or null")
