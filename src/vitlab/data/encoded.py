"""Pictures that stay as they are stored, because decoded they would not fit in memory: decoded whenever asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from vitlab.data.decode import Frame
from vitlab.data.images import Cuts, DecodedOnDemand, Promise, to_device
from vitlab.data.workers import Stored, ahead, begin

_BATCHES_AHEAD = 2


class NamedStored(Stored, Protocol):
    """Pictures as they are stored, each with a name."""

    def name(self, row: int) -> str:
        """What messages and records call picture `row`."""

    def identity(self, row: int) -> str:
        """What a fingerprint knows it by, beside its content: its name in its split; nothing where only rows count."""


@dataclass(frozen=True)
class Encoded(DecodedOnDemand):
    """One split: where its pictures are, `rows` [n] of them, and labels [n] int64, whose device is the pictures'."""

    stored: NamedStored
    rows: Tensor
    labels: Tensor
    frame: Frame

    def subset(self, indices: Tensor) -> "Encoded":
        """indices [m] -> the pictures there."""
        return replace(self, rows=self.rows[indices.cpu()], labels=self.labels[indices.to(self.labels.device)])

    def name(self, index: int) -> str:
        """What messages and records call a picture."""
        return self.stored.name(int(self.rows[index]))

    def identity(self, index: int) -> str:
        """What a fingerprint knows a picture by, beside its content."""
        return self.stored.identity(int(self.rows[index]))

    def ask(self, indices: Tensor, cuts: Cuts | None = None) -> Promise:
        """indices [...] -> a promise of their pixels [..., C, H, W]; one that is asked for twice is decoded once, but
        for two `cuts` of it.

        The promise raises DataError, with the picture's name, if it has become unreadable.
        """
        if cuts is not None:
            crops = self._begun(indices.flatten().cpu(), cuts)
            return lambda: crops().unflatten(0, indices.shape)
        wanted, places = indices.cpu().unique(return_inverse=True)
        whole = self._begun(wanted)
        return lambda: whole()[to_device(places, self.labels.device)]

    def _begun(self, wanted: Tensor, cuts: Cuts | None = None) -> Promise:
        """Workers begin with the pictures wanted [m]."""
        device = self.labels.device
        decoded = begin(self.stored, self.rows[wanted].tolist(), self.frame, cuts, pinned=device.type == "cuda")
        return lambda: to_device(decoded().whole(lambda place: self.name(int(wanted[place]))), device)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All pictures in order: pixels [b, C, H, W] and labels [b], decoded two batches ahead."""

        def begun(start: int) -> Callable[[], tuple[Tensor, Tensor]]:
            part = torch.arange(start, min(start + size, len(self)))
            promise = self.ask(part)
            return lambda: (promise(), self.labels[start : start + size])

        return ahead(map(begun, range(0, len(self), size)), _BATCHES_AHEAD)
