"""The contract of a record: a file of JSON that one class writes and reads, with the version of its schema."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from vitlab.base.errors import DataError, OtherVersion, SpecError
from vitlab.base.files import read_json, write_json
from vitlab.base.metric import Metric
from vitlab.base.spec import Spec, field_names, from_dict, to_dict
from vitlab.base.words import shown, some

S = TypeVar("S", bound=Spec)

Status = Literal["finished", "failed", "interrupted"]
ENDED: tuple[Status, ...] = ("finished", "failed")  # what stands, however often the command is repeated

# The data that a run's own user gave it; a number, or None for what was not measured
Numbers = Mapping[str, Any]
_ROUNDING = 1e-6  # of a fraction
_LARGEST = 1e39  # of a number that is measured: those of single precision are smaller


@dataclass(frozen=True)
class Record(Spec):
    """A file of a folder.

    Keys that a later version added to it are passed over; a missing one or a wrong type is damage.
    """

    file: ClassVar[str]
    schema: ClassVar[int] = 1
    oldest: ClassVar[int] = 0  # that is still read
    remedy: ClassVar[str] = ""  # what to do with a damaged one, where it can be made again

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether the folder has one."""
        return (folder / cls.file).exists()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record in a folder. Raises DataError if it is absent, damaged, or of a vitlab too new or too old."""
        try:
            return cls.read_values(read_json(folder / cls.file, cls.schema, cls.oldest), folder / cls.file)
        except DataError as error:
            if not cls.remedy or isinstance(error, OtherVersion):
                raise
            raise DataError(f"{error}; {cls.remedy}") from None

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
    known = {key: value for key, value in values.items() if key in names}
    if values.keys() - {"schema"} and not known:
        raise DataError(f"{path} is damaged: it is another record, of {some(sorted(values))}")
    with damaged(path):
        return from_dict(kind, known)


@contextmanager
def damaged(what: Path | str) -> Iterator[None]:
    """Let a refusal say that what was read is damaged: SpecError becomes DataError."""
    try:
        yield
    except SpecError as error:
        raise DataError(f"{what} is damaged: {error}") from None


def check_metric(name: str, metrics: Mapping[str, Metric]) -> None:
    """Refuse a metric of which the record does not say what it is. Raises SpecError."""
    if name not in metrics:
        raise SpecError(f"metric={name}: metrics do not say what it is")


def check_least(spec: Spec, least: float, *names: str) -> None:
    """Refuse numbers of a record that cannot be so small; null stands for what is not known. Raises SpecError."""
    for name in names:
        value = getattr(spec, name)
        if value is not None and value < least:
            raise SpecError(f"{name}={value}: must be {least} or more")


def check_counts(name: str, values: Mapping[str, float]) -> None:
    """Refuse negative counts or amounts. Raises SpecError."""
    for key, value in values.items():
        if value < 0:
            raise SpecError(f"{name}.{key}={value}: must be 0 or more")


def check_time(name: str, text: str) -> None:
    """Refuse what is no date and time. Raises SpecError."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise SpecError(f"{name}={shown(text)}: expected a date and time") from None


def check_facts(name: str, values: Mapping[str, Any]) -> None:
    """Refuse what is neither a text, nor a number, nor a list of texts, nor null. Raises SpecError."""
    for key, value in values.items():
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        number = isinstance(value, int | float) and abs(value) < _LARGEST
        if not (value is None or isinstance(value, str) or number or texts):
            raise SpecError(f"{name}.{key}={shown(value)}: expected a text or a number")


def check_ranges(name: str, values: Mapping[str, Any], metrics: Mapping[str, Metric]) -> None:
    """Refuse fractions that are none. Raises SpecError."""
    for key, metric in metrics.items():
        value = values.get(key)
        if metric.is_fraction and value is not None and not -_ROUNDING <= value <= 1 + _ROUNDING:
            raise SpecError(f"{name}.{key}={value}: expected a fraction, from 0 to 1")


def check_numbers(name: str, values: Mapping[str, Any]) -> None:
    """Refuse what is no finite number, nor null for something that was not measured. Raises SpecError."""
    for key, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and abs(value) < _LARGEST):
            raise SpecError(f"{name}.{key}={shown(value)}: expected a number, or null")
