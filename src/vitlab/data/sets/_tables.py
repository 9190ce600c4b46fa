"""Sets in tables: their two columns, and that they can be streamed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.errors import DataError, SpecError
from vitlab.base.kept import keep_facts, read_facts
from vitlab.data import tables
from vitlab.data.images import Splits
from vitlab.data.ingest import Rules
from vitlab.data.look import found
from vitlab.data.passes import Surveyed, survey
from vitlab.data.reach import Reach
from vitlab.data.rows import Rows
from vitlab.data.sets._pictures import PicturesSpec
from vitlab.data.stream import RowStream
from vitlab.records.data import Found, FoundSplit


class Opened(NamedTuple):
    """The tables of `train`, `val` and `test`, as far as there are any; how they are read, and what is to be said."""

    tables: Mapping[str, Any]
    layout: str
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TablesSpec(PicturesSpec):
    """A table of pictures and labels a split.

    With `streaming` it is never whole on this machine: it is read as it comes, in an order that is not exact, and
    needs a held-out split of its own.
    """

    image: str | None = None  # the columns; None: the only ones that can be meant
    label: str | None = None
    renumber: bool = False  # make every different number in the column of labels a class, in their order
    streaming: bool = False
    buffer: int = 10_000  # encoded pictures that are held to shuffle a stream
    samples_per_epoch: int | None = None  # of a stream; None: what the set says of itself, or what counting finds

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("buffer", "samples_per_epoch"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise SpecError(f"{field}={value}: must be positive")

    @property
    def origin(self) -> str:
        """What messages call the set."""
        raise NotImplementedError

    def reach(self) -> Reach:
        """Which files rows may name in place of a picture."""
        raise NotImplementedError

    def open_stream(self) -> Opened:
        """`train` and, if there is a held-out split, `test`, as tables to be streamed. Raises DataError."""
        raise NotImplementedError

    def memory(self, streamed: Mapping[str, Any]) -> Path:
        """Where what a pass over the stream found is remembered."""
        raise NotImplementedError

    def num_rows(self, streamed: Mapping[str, Any]) -> int | None:
        """How many rows the training split has, if it says so itself."""
        raise NotImplementedError

    def where_else(self, only: str) -> str:
        return "; if another column of the table has the classes: data.label=COLUMN"

    def class_names(self) -> tuple[str, ...]:
        if self.streaming:
            return self.stream_columns(self.open_stream().tables).class_names or ()
        return self.source().open().class_names

    def _ingested(self, rules: Rules) -> Splits:
        return self._streamed() if self.streaming else super()._ingested(rules)

    def stream_columns(self, streamed: Mapping[str, Any]) -> tables.Columns:
        """The columns of an opened stream. Raises DataError, also if only reading it all would tell its classes."""
        features = {f"{self.origin} {split}": table.features for split, table in streamed.items()}
        named = tables.columns(features, self.image, self.label)
        if named.class_names is None and self.num_classes is None:
            raise DataError(f"{self.origin} does not name its classes: a streamed set then needs data.num_classes")
        if named.words or self.renumber:
            raise DataError(
                f"{self.origin}: classes that are words, or are to be renumbered, are known only when all are read: "
                "set data.streaming=false"
            )
        return named

    def _streamed(self) -> Splits:
        streamed, layout, notes = self.open_stream()
        if "test" not in streamed:
            raise DataError(f"{self.origin} has no held-out split, and a streamed set cannot be divided")
        named = self.stream_columns(streamed)
        class_names = named.class_names or tuple(map(str, range(self.num_classes or 0)))
        self.check_classes(class_names)
        rows = {
            split: Rows(table, named, len(class_names), f"{self.origin} {split}", self.reach())
            for split, table in streamed.items()
        }
        memory = self.memory(streamed)
        samples = self.samples_per_epoch or self.num_rows(streamed) or _counted(rows["train"], memory)
        stream = RowStream(rows["train"], self.frame, samples, self.buffer, self.max_unreadable)
        held_out: dict[str, Surveyed] = {
            split: survey(split, rows[split], self.frame, memory, self.max_unreadable)
            for split in ("val", "test")
            if split in rows
        }
        unreadable: dict[str, tuple[str, ...]] = {split: surveyed.unreadable for split, surveyed in held_out.items()}
        val = held_out["val"].pictures if "val" in held_out else None
        layout = f"{layout}; the training split is streamed"
        found = found_of_stream(stream, held_out, class_names, layout=layout, notes=notes)
        return Splits(stream, held_out["test"].pictures, class_names, unreadable, stream.order, val, found=found)


def found_of_stream(
    stream: RowStream, held_out: Mapping[str, Surveyed], class_names: Sequence[str], **said: object
) -> Found:
    """The record of a look at what can be looked at: the held-out splits; `said` is as in `found`."""
    pictures = {split: surveyed.pictures for split, surveyed in held_out.items()}
    fingerprints = {split: surveyed.fingerprint for split, surveyed in held_out.items()}
    seen = found(pictures, class_names, fingerprints, {}, (), **said)
    return replace(seen, splits={"train": FoundSplit(len(stream), {}), **seen.splits})


def _counted(rows: Rows, memory: Path) -> int:
    """The rows of a split, counted by reading them all, once."""
    kept = memory.with_suffix(".count.json")
    count = read_facts(kept).get("rows")
    if count is None:
        count = sum(1 for _ in rows)
        keep_facts(kept, {"rows": count})
    return count
