"""The rows of a split that is streamed: as they are stored, or shuffled as well as a stream can be.

A shuffled order is a pure function of (seed, epoch): the shards are permuted, then the rows are shuffled within a
buffer. `datasets` shuffles too, but every version of it differently, and a run must go on as it began.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch

from vitlab.base.errors import DataError
from vitlab.data.decode import Frame
from vitlab.data.images import Cuts, no_class
from vitlab.data.reach import NOWHERE, Reach
from vitlab.data.tables import Columns, name_of, picture_of
from vitlab.data.workers import Decoded, LookedAt, begin, begin_look
from vitlab.rng import bits, sample_keys


class Row(NamedTuple):
    """One sample as it is stored: what stands for the picture, the label, what records call it, and how far the table
    reaches.
    """

    picture: Any
    label: int
    name: str
    reach: Reach = NOWHERE


@dataclass(frozen=True)
class Rows:
    """One split of an opened stream: its shards in any order, the rows of a shard always in the same."""

    table: Any  # a `datasets.IterableDataset`
    columns: Columns
    num_classes: int
    origin: str
    reach: Reach = NOWHERE

    def read(self, order: Iterable[int]) -> Iterator[Row]:
        """The rows of the shards in `order`. Raises DataError for a label outside the classes."""
        import datasets

        image, label = self.columns.image, self.columns.label
        table = self.table.select_columns([image, label])
        if isinstance(self.table.features[image], datasets.Image):
            table = table.cast_column(image, datasets.Image(decode=False))
        for shard in order:
            for number, values in enumerate(table.shard(self.table.num_shards, shard)):
                name = name_of(values[image], f"{self.origin} shard {shard}", number)
                if values[label] not in range(self.num_classes):
                    raise DataError(no_class(name, values[label], self.num_classes))
                yield Row(values[image], int(values[label]), name, self.reach)

    def __iter__(self) -> Iterator[Row]:
        """All rows as they are stored."""
        return self.read(range(self.table.num_shards))

    def shuffled(self, seed: int, epoch: int, most: int, buffer: int) -> Iterator[Row]:
        """The first `most` rows of an epoch: shards permuted, rows shuffled within a buffer of that many."""
        key = sample_keys(torch.tensor([seed]), torch.tensor([epoch]))[0, 0]
        shards = bits(key, "data.stream.shards", self.table.num_shards).argsort(stable=True).tolist()
        picks = (bits(key, "data.stream.buffer", most) & (2**63 - 1)).tolist()
        rows = self.read(shards)
        held = list(islice(rows, buffer))
        for number, pick in enumerate(picks):
            if not held:
                raise DataError(f"{self.origin} has {number} rows, fewer than samples_per_epoch={most}")
            place = pick % len(held)
            yield held[place]
            following = next(rows, None)
            if following is None:  # the buffer shrinks
                following = held.pop()
            if place < len(held):
                held[place] = following


class _Fetched:
    """Rows that are here, for workers to decode."""

    def __init__(self, rows: Sequence[Row]):
        self.rows = rows

    def __getitem__(self, row: int) -> bytes | Path:
        return picture_of(self.rows[row].picture, self.rows[row].reach)


def decoding(
    rows: Sequence[Row], frame: Frame, device: torch.device, cuts: Cuts | None = None
) -> Callable[[], Decoded]:
    """Workers begin to decode the rows' pictures, or one of `cuts` of each; called, the result waits for them."""
    return begin(_Fetched(rows), range(len(rows)), frame, cuts, pinned=device.type == "cuda")


def looking(rows: Sequence[Row], frame: Frame) -> Callable[[], LookedAt]:
    """The same, for whoever wants to know what there is."""
    return begin_look(_Fetched(rows), range(len(rows)), frame)
