"""Pictures that stay as they are stored, because decoded they would not fit in memory: decoded whenever asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data.decode import Frame
from vitlab.data.images import Promise, to_device
from vitlab.data.workers import Stored, ahead, begin

_BATCHES_AHEAD = 2


class NamedStored(Stored, Protocol):
    """Pictures as they are stored, each with a name."""

    def name(self, row: int) -> str:
        """What messages and records call picture `row`."""


@dataclass(frozen=True)
class Encoded:
    """One split: where its pictures are, `rows` [n] of them, and labels [n] int64, whose device is the pictures'."""

    stored: NamedStored
    rows: Tensor
    labels: Tensor
    frame: Frame

    @property
    def planned_on(self) -> torch.device:
        """The workers are told what to read, so the host must know."""
        return torch.device("cpu")

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.labels)

    def to(self, device: torch.device | str) -> "Encoded":
        """The same pictures, which will be copied to `device` once they are decoded."""
        return replace(self, labels=self.labels.to(device))

    def subset(self, indices: Tensor) -> "Encoded":
        """indices [m] -> the pictures there."""
        return replace(self, rows=self.rows[indices.cpu()], labels=self.labels[indices.to(self.labels.device)])

    def name(self, index: int) -> str:
        """What messages and records call a picture."""
        return self.stored.name(int(self.rows[index]))

    def ask(self, indices: Tensor) -> Promise:
        """indices [...] -> a promise of their pixels [..., C, H, W]; one that is asked for twice is decoded once.

        The promise raises DataError, with the picture's name, if it has become unreadable.
        """
        wanted, places = indices.cpu().unique(return_inverse=True)
        device = self.labels.device
        decoded = begin(self.stored, self.rows[wanted].tolist(), self.frame, pinned=device.type == "cuda")

        def promise() -> Tensor:
            pixels, unreadable = decoded()
            for place, why in unreadable.items():
                raise DataError(f"{self.name(int(wanted[place]))} is unreadable: {why}")
            return to_device(pixels, device)[to_device(places, device)]

        return promise

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All pictures in order: pixels [b, C, H, W] and labels [b], decoded two batches ahead."""

        def begun(start: int) -> Callable[[], tuple[Tensor, Tensor]]:
            part = torch.arange(start, min(start + size, len(self)))
            promise = self.ask(part)
            return lambda: (promise(), self.labels[start : start + size])

        return ahead(map(begun, range(0, len(self), size)), _BATCHES_AHEAD)
