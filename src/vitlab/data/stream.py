"""A training split that is read as it comes, and cannot be indexed."""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count as count_from
from itertools import islice

import torch
from torch import Tensor

from vitlab.data.decode import Frame
from vitlab.data.images import CutsOf, to_device
from vitlab.data.ingest import too_many
from vitlab.data.rows import Row, Rows, decoding
from vitlab.data.workers import Decoded
from vitlab.rng import sample_keys

_CHUNK = 64  # rows that are fetched and decoded together
_CHUNKS_AHEAD = 4
_DEVIATIONS = 5  # by which more than the tolerated share must have been met: no good set is refused by chance


@dataclass(frozen=True)
class RowStream:
    """A training split that is read as it comes. An epoch is `samples_per_epoch` rows; readers say in which order."""

    rows: Rows
    frame: Frame
    samples_per_epoch: int
    buffer: int
    max_unreadable: float = 0.01
    device: torch.device = torch.device("cpu")

    def __len__(self) -> int:
        """The samples of one epoch."""
        return self.samples_per_epoch

    @property
    def order(self) -> str:
        """What records say of the order."""
        return f"a shuffle within a buffer of {self.buffer:,} images, because the set is streamed"

    def to(self, device: torch.device | str) -> "RowStream":
        """The same stream, its pictures copied to `device` once they are decoded."""
        return replace(self, device=torch.device(device))

    def reader(self, seed: int, cuts_of: CutsOf = lambda keys: None) -> "RowReader":
        """The samples in the order of a run's seed, from the first on, cropped as their keys say."""
        return RowReader(self, seed, cuts_of)


class RowReader:
    """One run's samples: position p is always the same one, in whatever counts they are read.

    At the place of an unreadable picture stands the next readable one, cropped alike, so that positions need no
    knowledge of what is readable.
    """

    def __init__(self, stream: RowStream, seed: int, cuts_of: CutsOf):
        self.stream, self.seed, self.cuts_of = stream, seed, cuts_of
        self._unreadable: dict[str, str] = {}
        self._seen = self._failed = 0
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="fetch")
        self._waiting: deque[Future[tuple[list[Row], Callable[[], Decoded]]]] = deque()
        self.go_to(0)

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Names of the pictures that were met and could not be read, and why."""
        return self._unreadable

    def go_to(self, position: int) -> None:
        """Read on from this position. The epoch's rows before it are passed over, not decoded."""
        while self._waiting:
            self._waiting.pop().cancel()
        self._rows, self._next = self._from(position), position
        self._left: list[tuple[Tensor, Tensor]] = []  # samples that were decoded and not yet asked for
        self._missing = 0  # samples before the next chunk, for which only unreadable rows were found

    def read(self, count: int) -> tuple[Tensor, Tensor]:
        """The next samples: pixels [count, C, H, W] uint8 and labels [count] int64, on the stream's device.

        Raises DataError if clearly more of what was read is unreadable than may be.
        """
        parts = self._left
        while sum(len(labels) for _, labels in parts) < count:
            self._fetch_ahead(count)
            parts.append(self._decoded(*self._waiting.popleft().result()))
        self._fetch_ahead(count)
        pixels, labels = (torch.cat(kind) for kind in zip(*parts, strict=True))
        self._left = [(pixels[count:].clone(), labels[count:])]
        return pixels[:count], labels[:count]

    def _fetch_ahead(self, count: int) -> None:
        """Have at least as much under way as is read at once."""
        while len(self._waiting) < count // _CHUNK + _CHUNKS_AHEAD:
            self._waiting.append(self._fetcher.submit(self._fetch, self._rows, self._next))
            self._next += _CHUNK

    def _fetch(self, rows: Iterator[Row], position: int) -> tuple[list[Row], Callable[[], Decoded]]:
        """The next chunk of rows, whose first has this position."""
        chunk, stream = list(islice(rows, _CHUNK)), self.stream
        keys = sample_keys(torch.tensor([self.seed]), torch.arange(position, position + len(chunk)))
        return chunk, decoding(chunk, stream.frame, stream.device, self.cuts_of(keys))

    def _decoded(self, rows: list[Row], decoded: Callable[[], Decoded]) -> tuple[Tensor, Tensor]:
        """A chunk's samples, the unreadable replaced."""
        pixels, unreadable = decoded()
        self._note({rows[place].name: why for place, why in unreadable.items()}, len(rows))
        readable = [place for place in range(len(rows)) if place not in unreadable]
        following = (bisect_left(readable, place) for place in range(-self._missing, len(rows)))
        places = [readable[index] for index in following if index < len(readable)]
        self._missing += len(rows) - len(places)
        device = self.stream.device
        labels = torch.tensor([rows[place].label for place in places], dtype=torch.int64)
        return to_device(pixels, device)[to_device(torch.tensor(places), device)], to_device(labels, device)

    def _note(self, unreadable: dict[str, str], count: int) -> None:
        self._unreadable |= unreadable
        self._seen += count
        self._failed += len(unreadable)
        most = self.stream.max_unreadable
        expected = most * self._seen
        if self._failed > expected + _DEVIATIONS * math.sqrt(expected):
            raise too_many("train", self._seen, self._failed, list(self._unreadable.items()), most)

    def _from(self, position: int) -> Iterator[Row]:
        """The rows from a position on, epoch after epoch."""
        stream = self.stream
        first, passed = divmod(position, stream.samples_per_epoch)
        for epoch in count_from(first):
            rows = stream.rows.shuffled(self.seed, epoch, stream.samples_per_epoch, stream.buffer)
            yield from islice(rows, passed, None)
            passed = 0
