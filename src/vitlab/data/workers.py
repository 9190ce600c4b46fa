"""Threads that decode pictures before they are needed.

Pillow, torch and NumPy let go of the interpreter while they work, so threads are enough: nothing is copied between
processes, and what is not yet decoded is never more than was asked for.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from vitlab.base.env import process_cores
from vitlab.base.errors import DataError
from vitlab.data.decode import Frame, Unreadable, decode

T = TypeVar("T")

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


def begin(stored: Stored, rows: Sequence[int], frame: Frame, pinned: bool = False) -> Callable[[], Decoded]:
    """Decode the pictures at `rows`: workers start now, the result waits for them. `pinned`: for a CUDA device."""
    pixels = torch.empty((len(rows), *frame.shape), dtype=torch.uint8, pin_memory=pinned)
    slots = pixels.numpy()

    def work(start: int) -> dict[int, str]:
        unreadable = {}
        for place in range(start, min(start + _STRETCH, len(rows))):
            try:
                np.copyto(slots[place], decode(stored[rows[place]], frame).numpy())
            except Unreadable as error:
                unreadable[place] = str(error)
        return unreadable

    parts = [_pool().submit(work, start) for start in range(0, len(rows), _STRETCH)]
    return lambda: Decoded(pixels, {place: why for part in parts for place, why in part.result().items()})


def ahead(promises: Iterable[Callable[[], T]], count: int) -> Iterator[T]:
    """What the promises hold, in order; while one is waited for, the next `count` have begun."""
    waiting: deque[Callable[[], T]] = deque()
    for promise in promises:
        waiting.append(promise)
        if len(waiting) > count:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(process_cores(), thread_name_prefix="decode")
