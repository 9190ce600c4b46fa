"""Threads that decode pictures before they are needed.

Pillow, torch and NumPy let go of the interpreter while they work, so on two cores threads are enough, and nothing is
copied between processes; on more, each thread has a process of its own (`vitlab.data.decoder`). What is not yet decoded
is never more than was asked for.
"""

import hashlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from vitlab.base.env import process_cores
from vitlab.base.errors import DataError
from vitlab.base.files import is_no_file
from vitlab.data.decode import Cut, Frame, Seen, Unreadable, decode, look
from vitlab.data.decoder import Decoder, Made, Work, make_here
from vitlab.data.images import Cuts

T = TypeVar("T")

DIGEST_BYTES = 16
_STRETCH = 8  # pictures that a worker takes at once
THREADS_SCALE_TO = 2  # cores: two threads do 1.5 times the work of one, and Python lets more do little beyond that
PATIENCE = 1.0  # seconds that a thread decodes before it is given a process, which takes seconds to start


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


@dataclass(frozen=True)
class _Decoding:
    """To decode a picture, or a cut of it."""

    frame: Frame
    cut: Cut | None = None

    def __call__(self, source: bytes | Path) -> Made:
        try:
            return Made(decode(source, self.frame, self.cut))
        except Unreadable as error:
            return Made(None, str(error))


@dataclass(frozen=True)
class _Looking:
    """The same, and to look at what there is."""

    frame: Frame

    def __call__(self, source: bytes | Path) -> Made:
        try:
            encoded = source if isinstance(source, bytes) else self._read(source)
        except (OSError, Unreadable) as error:
            return Made(None, str(error))
        digest = hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest()
        try:
            pixels, seen = look(encoded, self.frame)
        except Unreadable as error:
            return Made(None, str(error), digest)
        return Made(pixels, None, digest, seen)

    def _read(self, file: Path) -> bytes:
        if is_no_file(file):
            raise Unreadable("not a file")
        size, most = file.stat().st_size, self.frame.largest_file
        if size > most:
            raise Unreadable(f"it has {size:,} bytes, and no picture of {self.frame.max_pixels:,} pixels has as many")
        return file.read_bytes()


def begin(
    stored: Stored, rows: Sequence[int], frame: Frame, cuts: Cuts | None = None, pinned: bool = False
) -> Callable[[], Decoded]:
    """Decode the pictures at `rows`, or one of `cuts` of each: workers start now, the result waits for them.

    `pinned`: for a CUDA device.
    """
    each = cuts.one_by_one(*frame.img_size) if cuts else [None] * len(rows)
    size = cuts.out_size(*frame.img_size) if cuts else frame.img_size
    pixels = torch.empty((len(rows), frame.in_chans, *size), dtype=torch.uint8, pin_memory=pinned)
    making = _Making(stored, rows, lambda place: _Decoding(frame, each[place]), pixels)
    return lambda: Decoded(pixels, _unreadable(making.done()))


def begin_look(stored: Stored, rows: Sequence[int], frame: Frame) -> Callable[[], LookedAt]:
    """The same, for whoever wants to know what there is, too."""
    pixels = torch.empty((len(rows), *frame.shape), dtype=torch.uint8)
    making = _Making(stored, rows, lambda _: _Looking(frame), pixels)

    def looked_at() -> LookedAt:
        made = making.done()
        digests = np.zeros((len(rows), DIGEST_BYTES), np.uint8)
        for place, one in enumerate(made):
            if one.digest:
                digests[place] = np.frombuffer(one.digest, np.uint8)
        return LookedAt(pixels, _unreadable(made), digests, [one.seen for one in made if one.seen is not None])

    return looked_at


def _unreadable(made: Sequence[Made]) -> dict[int, str]:
    """Why nothing could be made of some, by place."""
    return {place: one.unreadable for place, one in enumerate(made) if one.unreadable is not None}


def abandon() -> None:
    """Have workers take up nothing more: what nobody waits for must not delay the end of a process."""
    if _pool.cache_info().currsize:
        _pool().abandon()
        _pool.cache_clear()


class _Worker(threading.local):
    """What each thread has: seconds that it worked by itself, and then a process."""

    seconds = 0.0
    decoder: Decoder | None = None


class _Pool(ThreadPoolExecutor):
    """As many threads as this process has cores, until they are abandoned; of many, each that has much to do gets a
    process of its own.
    """

    def __init__(self) -> None:
        cores = process_cores()
        super().__init__(cores, thread_name_prefix="decode")
        self.abandoned = Event()
        self._patience = PATIENCE if cores > THREADS_SCALE_TO else math.inf
        self._decoders: list[Decoder] = []
        self._worker = _Worker()

    def make(self, work: Work, source: bytes | Path, slot: np.ndarray) -> Made:
        """A picture, made by the thread that asks or by its process."""
        worker = self._worker
        if worker.decoder is not None and worker.decoder.ready.is_set():
            return worker.decoder.make(work, source, slot)
        began = time.perf_counter()
        made = make_here(work, source, slot)
        worker.seconds += time.perf_counter() - began
        if worker.decoder is None and worker.seconds > self._patience:
            worker.decoder = Decoder()
            self._decoders.append(worker.decoder)
        return made

    def abandon(self) -> None:
        """Take up nothing more."""
        self.abandoned.set()
        self.shutdown(wait=False, cancel_futures=True)
        for decoder in self._decoders:
            decoder.end()


class _Making:
    """Pictures that workers make, each into its place of `pixels` [n, C, H, W]."""

    def __init__(self, stored: Stored, rows: Sequence[int], work: Callable[[int], Work], pixels: Tensor):
        self._stored, self._rows, self._work, self._slots = stored, rows, work, pixels.numpy()
        self._pool = _pool()
        self._parts = [self._pool.submit(self._stretch, start) for start in range(0, len(rows), _STRETCH)]

    def done(self) -> list[Made]:
        """What was made of each, once all are."""
        return [one for part in self._parts for one in part.result()]

    def _stretch(self, start: int) -> list[Made]:
        places = range(start, min(start + _STRETCH, len(self._rows)))
        return [self._one(place) for place in places if not self._pool.abandoned.is_set()]

    def _one(self, place: int) -> Made:
        try:
            source = self._stored[self._rows[place]]
        except Unreadable as error:
            return Made(None, str(error))
        return self._pool.make(self._work(place), source, self._slots[place])


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
