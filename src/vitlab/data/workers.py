"""Threads that decode pictures before they are needed.

Pillow, torch and NumPy let go of the interpreter while they work, so threads are enough: nothing is copied between
processes, and what is not yet decoded is never more than was asked for.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Event
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from vitlab.base.env import process_cores
from vitlab.base.errors import DataError
from vitlab.data.decode import Cut, Frame, Seen, Unreadable, decode, look

T = TypeVar("T")

DIGEST_BYTES = 16
_STRETCH = 8  # pictures that a worker takes at once


class Stored(Protocol):
    """Pictures as they are stored, by row: the bytes of a file, or where it is."""

    def __getitem__(self, row: int, /) -> bytes | Path:
        """Picture `row`, encoded; several workers ask at once. Raises Unreadable where there is none."""


class Decoded(NamedTuple):
    """What workers made: pixels [n, C, H, W] uint8, and why, by place, nothing could be made of some."""

    pixels: Tensor
    unreadable: dict[int, str]

    def whole(self, name: Callable[[int], str]) -> Tensor:
        """The pixels, if all could be made. Raises DataError with the `name` of the first place that could not."""
        for place, why in self.unreadable.items():
            raise DataError(f"{name(place)} is unreadable: {why}")
        return self.pixels


class LookedAt(NamedTuple):
    """The same, with a hash of each picture's bytes [n, 16] uint8, zero of what is not there; and what was seen."""

    pixels: Tensor
    unreadable: dict[int, str]
    digests: np.ndarray
    seen: list[Seen]


def begin(
    stored: Stored, rows: Sequence[int], frame: Frame, cuts: Sequence[Cut] | None = None, pinned: bool = False
) -> Callable[[], Decoded]:
    """Decode the pictures at `rows`, or one of `cuts` of each: workers start now, the result waits for them.

    `pinned`: for a CUDA device.
    """

    def one(row: int, place: int) -> Tensor:
        return decode(stored[row], frame, cuts[place] if cuts else None)

    size = cuts[0].size if cuts else frame.img_size
    work = _Work(rows, (frame.in_chans, *size), pinned, one)
    return lambda: Decoded(work.pixels, work.done())


def begin_look(stored: Stored, rows: Sequence[int], frame: Frame) -> Callable[[], LookedAt]:
    """The same, for whoever wants to know what there is, too."""
    digests = np.zeros((len(rows), DIGEST_BYTES), np.uint8)
    seen: list[Seen] = []

    def one(row: int, place: int) -> Tensor:
        source = stored[row]
        try:
            encoded = source if isinstance(source, bytes) else source.read_bytes()
        except OSError as error:
            raise Unreadable(str(error)) from None
        digests[place] = np.frombuffer(hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest(), np.uint8)
        pixels, what = look(encoded, frame)
        seen.append(what)
        return pixels

    work = _Work(rows, frame.shape, False, one)
    return lambda: LookedAt(work.pixels, work.done(), digests, seen)


def abandon() -> None:
    """Have workers take up nothing more: what nobody waits for must not delay the end of a process."""
    if _pool.cache_info().currsize:
        pool = _pool()
        pool.abandoned.set()
        pool.shutdown(wait=False, cancel_futures=True)
        _pool.cache_clear()


class _Pool(ThreadPoolExecutor):
    """As many threads as this process has cores, until they are abandoned."""

    def __init__(self) -> None:
        super().__init__(process_cores(), thread_name_prefix="decode")
        self.abandoned = Event()


class _Work:
    """Pictures that workers make, each into its place."""

    def __init__(
        self, rows: Sequence[int], shape: tuple[int, int, int], pinned: bool, one: Callable[[int, int], Tensor]
    ):
        self.pixels = torch.empty((len(rows), *shape), dtype=torch.uint8, pin_memory=pinned)
        self._rows, self._one, self._slots = rows, one, self.pixels.numpy()
        self._pool = _pool()
        self._parts = [self._pool.submit(self._stretch, start) for start in range(0, len(rows), _STRETCH)]

    def done(self) -> dict[int, str]:
        """Why nothing could be made of some, by place; it waits for all."""
        return {place: why for part in self._parts for place, why in part.result().items()}

    def _stretch(self, start: int) -> dict[int, str]:
        unreadable = {}
        for place in range(start, min(start + _STRETCH, len(self._rows))):
            if self._pool.abandoned.is_set():
                break
            try:
                np.copyto(self._slots[place], self._one(self._rows[place], place).numpy())
            except Unreadable as error:
                unreadable[place] = str(error)
        return unreadable


def ahead(promises: Iterable[Callable[[], T]], count: int) -> Iterator[T]:
    """What the promises hold, in order; while one is waited for, the next `count` have begun."""
    waiting: deque[Callable[[], T]] = deque()
    try:
        for promise in promises:
            waiting.append(promise)
            if len(waiting) > count:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()
    except KeyboardInterrupt:
        abandon()
        raise


@cache
def _pool() -> _Pool:
    return _Pool()
