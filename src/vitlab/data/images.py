"""Pictures, however they are stored: the seam between storage and everything above, and a whole data set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data.decode import Cut, Frame
from vitlab.records.data import Found

_SHOWN = 5  # classes in a message
EXACT = "exact"  # the order of a set that can be indexed: `vitlab.data.order`

Promise = Callable[[], Tensor]  # called, it waits if it must


class Cuts(Protocol):
    """Crops of the pictures of samples [...] as these are stored; `vitlab.augment.stored` has them."""

    def gather(self, rows: Tensor) -> "Cuts":
        """Of samples [R, B], the `rows` [R, n] of each run."""

    def out_size(self, rows: int, columns: int) -> tuple[int, int]:
        """The size that they come out with; pictures that are not cropped are decoded to the given one."""

    def one_by_one(self, rows: int, columns: int) -> Sequence[Cut]:
        """Each by itself, in order."""

    def apply(self, pixels: Tensor) -> Tensor:
        """Pictures in memory [..., C, H, W] uint8 -> their crops [..., C, *out_size(H, W)] uint8"""


CutsOf = Callable[
    [Tensor], Cuts | None
]  # keys [...] -> the crops of samples, if pictures are cropped as they are stored


class Pictures(Protocol):
    """One split that can be indexed: of every picture its label, and its pixels when they are asked for."""

    @property
    def labels(self) -> Tensor:
        """[n] int64, on the pictures' device."""

    @property
    def planned_on(self) -> torch.device:
        """Where `ask` needs its indices: where they are computed, the host need not wait for them."""

    def __len__(self) -> int:
        """How many pictures there are."""

    def to(self, device: torch.device | str) -> "Pictures":
        """The same pictures, given out on `device`."""

    def subset(self, indices: Tensor) -> "Pictures":
        """indices [m] -> the pictures there, in that order."""

    def ask(self, indices: Tensor, cuts: Cuts | None = None) -> Promise:
        """indices [...] -> a promise of their pixels [..., C, H, W] uint8, or of `cuts` [...] of the pictures as they
        are stored; workers, where there are any, begin now.
        """

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All pictures in order, read ahead: pixels [b, C, H, W] and labels [b]; the last batch may be smaller."""


class Reader(Protocol):
    """One run's samples of a stream: position p is always the same one, in whatever counts they are read."""

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Names of the pictures that were met and could not be read, and why."""

    def go_to(self, position: int) -> None:
        """Read on from this position."""

    def read(self, count: int) -> tuple[Tensor, Tensor]:
        """The next samples: pixels [count, C, H, W] uint8, or their crops, and labels [count] int64."""


@runtime_checkable
class Stream(Protocol):
    """A training split that is read as it comes and cannot be indexed."""

    @property
    def samples_per_epoch(self) -> int:
        """How many samples one epoch has."""

    def __len__(self) -> int:
        """The same."""

    @property
    def order(self) -> str:
        """What records say of the order."""

    def to(self, device: torch.device | str) -> "Stream":
        """The same stream, given out on `device`."""

    def reader(self, seed: int, cuts_of: CutsOf) -> Reader:
        """The samples in the order of a run's seed, from the first on, cropped as their keys say."""


class DecodedOnDemand:
    """What splits have in common that workers decode when they are asked for; `labels` are where the pixels go."""

    labels: Tensor
    planned_on = torch.device("cpu")  # the workers are told what to read, so the host must know

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.labels)

    def to(self, device: torch.device | str) -> Self:
        """The same pictures, which will be copied to `device` once they are decoded."""
        return replace(self, labels=self.labels.to(device))  # type: ignore[type-var]  # each of them is a dataclass


@dataclass(frozen=True)
class Images:
    """Decoded pictures in memory: pixels [n, C, H, W] uint8 and labels [n] int64, on one device."""

    pixels: Tensor
    labels: Tensor

    @property
    def planned_on(self) -> torch.device:
        """Where the pictures are."""
        return self.labels.device

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.labels)

    def to(self, device: torch.device | str) -> "Images":
        """The same pictures on `device`."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def subset(self, indices: Tensor) -> "Images":
        """indices [m] -> a copy of the pictures there."""
        indices = indices.to(self.labels.device)
        return Images(self.pixels[indices], self.labels[indices])

    def ask(self, indices: Tensor, cuts: Cuts | None = None) -> Promise:
        """indices [...] -> a promise of their pixels [..., C, H, W], gathered, and cropped, when it is called."""
        if cuts is None:
            return lambda: self.pixels[indices.to(self.pixels.device)]
        return lambda: cuts.apply(self.pixels[indices.to(self.pixels.device)])

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All pictures in order: views of pixels [b, C, H, W] and labels [b]."""
        for start in range(0, len(self), size):
            yield self.pixels[start : start + size], self.labels[start : start + size]


def relabelled(pictures: Pictures, labels: Tensor) -> Pictures:
    """The same pictures with other labels [n], on their device."""
    return replace(pictures, labels=labels)  # type: ignore[type-var]  # each kind of pictures is a dataclass


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on `device`, to which a GPU copies it when it comes to it: the host does not wait."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)  # what is pinned already is not copied for it
    return tensor.to(device)


class Splits(NamedTuple):
    """What a source of pictures holds, before it is checked and given its normalisation."""

    train: Pictures | Stream
    test: Pictures
    class_names: tuple[str, ...]
    unreadable: Mapping[str, tuple[str, ...]] = {}
    order: str = EXACT
    val: Pictures | None = None
    copies: Mapping[str, Tensor] = {}
    found: Found | None = None

    def in_memory(self) -> dict[str, "Images"]:
        """The splits that are decoded."""
        named = {"train": self.train, "val": self.val, "test": self.test}
        return {split: pictures for split, pictures in named.items() if isinstance(pictures, Images)}


@dataclass(frozen=True)
class ImageSet:
    """A data set. `mean` and `std` of each channel are of pixel values between 0 and 1.

    `frame` is what pictures are decoded to; `unreadable` names, split by split, the pictures
    that were left out; `order` says how the training pictures are shuffled, where that is not exact. `val` is there
    if the set has a validation split of its own. `copies` says of each picture of a split [n] int64 which content it
    has: the same number, above zero, for the same bytes, and zero for what there is once. `found` is for the record.
    """

    train: Pictures | Stream
    test: Pictures
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    frame: Frame
    unreadable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: str = EXACT
    val: Pictures | None = None
    copies: Mapping[str, Tensor] = field(default_factory=dict)
    found: Found | None = None


def check(splits: Splits) -> None:
    """Raise DataError for a label outside the classes, or a class without a training image.

    Of a stream only the test split can be known beforehand; a set that is evaluated has nothing to train on.
    """
    num_classes = len(splits.class_names)
    for split in ("train", "val", "test"):
        labels = getattr(getattr(splits, split), "labels", None)
        if labels is not None:
            check_labels(labels, num_classes, f"{split} image")
    train = getattr(splits.train, "labels", None)
    if train is not None and len(train):
        counts = torch.bincount(train, minlength=num_classes).tolist()
        empty = [name for name, count in zip(splits.class_names, counts, strict=True) if count == 0]
        if empty:
            raise DataError(
                f"no training image in class {', '.join(map(repr, empty[:_SHOWN]))}{', …' * (len(empty) > _SHOWN)}"
            )


def check_labels(labels: Tensor, num_classes: int, what: str) -> None:
    """Raise DataError for the first label of [n] that is no class."""
    bad = ((labels < 0) | (labels >= num_classes)).nonzero().flatten().tolist()
    if bad:
        raise DataError(no_class(f"{what} {bad[0]}", int(labels[bad[0]]), num_classes))


def no_class(what: str, label: object, num_classes: int) -> str:
    """What to say of a label that is no class."""
    unlabelled = "; this usually says that it has none: leave such pictures out of the table" if label == -1 else ""
    return f"{what} has label {label}; legal: 0 to {num_classes - 1}{unlabelled}"
