"""A held-out split that is streamed: read in order, from its beginning, every time."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vitlab.base import kept
from vitlab.data.decode import Frame
from vitlab.data.images import Cuts, DecodedOnDemand, Promise, to_device
from vitlab.data.ingest import LOOK_SIZE, left_out
from vitlab.data.rows import Row, Rows, decoding, looking
from vitlab.data.workers import LookedAt, ahead

_CHUNK = 64  # rows that are looked at together
_CHUNKS_AHEAD = 4
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Passes(DecodedOnDemand):
    """A held-out split that is read from its beginning every time: the rows at `positions` [n], ascending.

    `labels` [n] int64 are on the device that the pictures are copied to.
    """

    rows: Rows
    positions: Tensor
    labels: Tensor
    frame: Frame

    def subset(self, indices: Tensor) -> "Passes":
        """indices [m], ascending -> the pictures there. Raises ValueError for another order: it cannot be read."""
        if (indices.diff() <= 0).any():
            raise ValueError("what is read in passes has subsets in ascending order only")
        return replace(
            self, positions=self.positions[indices.cpu()], labels=self.labels[indices.to(self.labels.device)]
        )

    def ask(self, indices: Tensor, cuts: Cuts | None = None) -> Promise:
        """indices [...] -> a promise of their pixels [..., C, H, W]: it reads up to the last of them.

        Raises ValueError for `cuts`: nothing is trained on it.
        """
        if cuts is not None:
            raise ValueError("what is read in passes is not cropped at random")
        wanted, places = indices.cpu().unique(return_inverse=True)

        def promise() -> Tensor:
            pixels = self._decoded(list(self._pass(self.positions[wanted])))()
            return pixels[to_device(places, pixels.device)]

        return promise

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All pictures in order: pixels [b, C, H, W] and labels [b], decoded two batches ahead."""
        batches = ahead(map(self._decoded, _chunks(self._pass(self.positions), size)), _BATCHES_AHEAD)
        for start, pixels in zip(range(0, len(self), size), batches, strict=True):
            yield pixels, self.labels[start : start + size]

    def _pass(self, positions: Tensor) -> Iterator[Row]:
        """The rows at `positions`, ascending."""
        wanted = iter(positions.tolist())
        upcoming = next(wanted, None)
        for position, row in enumerate(self.rows if upcoming is not None else ()):
            if position == upcoming:
                yield row
                upcoming = next(wanted, None)
                if upcoming is None:
                    return

    def _decoded(self, rows: list[Row]) -> Promise:
        device = self.labels.device
        decoded = decoding(rows, self.frame, device)
        return lambda: to_device(decoded().whole(lambda place: rows[place].name), device)


class Surveyed(NamedTuple):
    """A held-out split without its unreadable pictures; the names of these; and the fingerprint of them all."""

    pictures: Passes
    unreadable: tuple[str, ...]
    fingerprint: str


def survey(split: str, rows: Rows, frame: Frame, memory: Path, most: float) -> Surveyed:
    """A held-out split, surveyed by one pass, which is remembered at `memory`.

    Raises DataError if more than a share `most` of its pictures is unreadable.
    """
    memory = memory.with_suffix(f".{split}.json")
    known = kept.read_facts(memory)
    if not {"labels", "unreadable", "fingerprint"} <= known.keys():
        known = _surveyed(rows, replace(frame, img_size=LOOK_SIZE, fit="squash"))
        kept.keep_facts(memory, known)
    labels = torch.tensor(known["labels"], dtype=torch.int64)
    bad = {int(position): (name, why) for position, (name, why) in known["unreadable"].items()}
    names = left_out(split, len(labels), list(bad.values()), most)
    positions = torch.tensor([position for position in range(len(labels)) if position not in bad], dtype=torch.int64)
    return Surveyed(Passes(rows, positions, labels[positions], frame), names, known["fingerprint"])


def _surveyed(rows: Rows, frame: Frame) -> dict[str, Any]:
    """Labels of all rows; name and reason of the unreadable ones, by position; a hash of all contents and labels."""

    def look(chunk: list[Row]) -> Callable[[], tuple[list[Row], LookedAt]]:
        promise = looking(chunk, frame)
        return lambda: (chunk, promise())

    labels: list[int] = []
    unreadable: dict[int, tuple[str, str]] = {}
    whole = hashlib.blake2b(digest_size=8)
    for chunk, seen in ahead(map(look, _chunks(iter(rows), _CHUNK)), _CHUNKS_AHEAD):
        unreadable |= {len(labels) + place: (chunk[place].name, why) for place, why in seen.unreadable.items()}
        labels += [row.label for row in chunk]
        whole.update(repr([row.label for row in chunk]).encode() + seen.digests.tobytes())
    return {"labels": labels, "unreadable": unreadable, "fingerprint": whole.hexdigest()}


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    return iter(lambda: list(islice(rows, size)), [])
