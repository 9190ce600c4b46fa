"""The record of a run's pictures: what a look at the data found, and how the run uses it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from vitlab.base.errors import SpecError
from vitlab.base.spec import Spec
from vitlab.base.words import counted, shown
from vitlab.records._base import Record, check_counts, check_least

_TENTH = 0.1  # of the range of values: pictures that use less are almost black
_EXAMPLES = 5  # suffixes in a sentence
_HINTS = {".heic": "convert them to JPEG", ".heif": "convert them to JPEG", ".zip": "unpack it"}


def left_out_as_no_pictures(files: Mapping[str, int]) -> list[str]:
    """A sentence on files that are no pictures, counted by suffix, if there are any."""
    if not files:
        return []
    most = sorted(files.items(), key=lambda item: -item[1])
    kinds = ", ".join(f"{number:,} {suffix}" for suffix, number in most[:_EXAMPLES])
    more = ", …" if len(most) > _EXAMPLES else ""
    hints = "".join(f"; {suffix}: {hint}" for suffix, hint in _HINTS.items() if suffix in files)
    return [f"left out as no images, by suffix: {kinds}{more}{hints}"]


@dataclass(frozen=True)
class SplitRecord(Spec):
    """How many pictures a split has, and the names of those that could not be read, which are not among them."""

    images: int
    unreadable: int = 0
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_least(self, 0, "images", "unreadable")


@dataclass(frozen=True)
class FoundSplit(Spec):
    """A split's readable pictures by class, and the fingerprint of all of them; None where it is streamed.

    The fingerprint is a hash of every picture's name, class and bytes, in order: of what they are, not of where.
    """

    images: int
    classes: Mapping[str, int]
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        check_least(self, 0, "images")
        check_counts("classes", self.classes)

    @property
    def largest_share(self) -> float:
        """The share of the largest class: the accuracy of whoever always names it."""
        return max(self.classes.values(), default=0) / max(self.images, 1)


@dataclass(frozen=True)
class Depth(Spec):
    """Pictures of one bit depth, the brightest and the lowest value of all of them, and the one that is white; None
    where it was not kept.
    """

    pictures: int
    brightest: float
    lowest: float = 0.0
    white: float | None = None

    def __post_init__(self) -> None:
        check_least(self, 0, "pictures")

    def with_those_of(self, other: "Depth") -> "Depth":
        """Of more pictures of the same kind."""
        brightest, lowest = max(self.brightest, other.brightest), min(self.lowest, other.lowest)
        return Depth(self.pictures + other.pictures, brightest, lowest, self.white)

    def told(self, kind: str) -> Iterator[str]:
        """What of their values cannot be seen."""
        images, brightest = f"{counted(self.pictures, 'image')} {kind}", _exact(self.brightest)
        if self.white is not None and 0 < self.brightest <= _TENTH * self.white:
            yield (
                f"the brightest value of {images} is {brightest}, of {_exact(self.white)}: almost black; "
                f"data.white={brightest} makes it white"
            )
        if self.white is not None and self.brightest > self.white:
            yield (
                f"the brightest value of {images} is {brightest}, and white is {_exact(self.white)}: whatever is "
                f"above it is white, too; data.white={brightest} keeps all differences"
            )
        if self.lowest < 0:
            yield (
                f"the lowest value of {images} is {_exact(self.lowest)}: whatever is below 0 is black; add "
                f"{_exact(-self.lowest)} to all values to keep it"
            )


@dataclass(frozen=True)
class Found(Spec):
    """A look at a data set.

    `layout` says how it was read, `notes` what else is to be known; `not_pictures` counts files by suffix; `depths` are
    by bits of a value, 0 for floating point; `copies` counts, by `train`, `train, test` …, pictures whose bytes another
    one of the same split, or of the other, has too; `see_through` counts those with a band taken for transparency.
    """

    layout: str
    splits: Mapping[str, FoundSplit]
    notes: tuple[str, ...] = ()
    not_pictures: Mapping[str, int] = field(default_factory=dict)
    depths: Mapping[str, Depth] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=dict)
    see_through: int = 0

    def __post_init__(self) -> None:
        check_least(self, 0, "see_through")
        for name in ("not_pictures", "copies"):
            check_counts(name, getattr(self, name))
        if odd := [bits for bits in self.depths if not bits.isdecimal()]:
            raise SpecError(f"depths: {shown(odd[0])} is no number of bits")

    def told(self) -> list[str]:
        """What a person should know, in a few sentences."""
        left_out = left_out_as_no_pictures(self.not_pictures)
        return [self._summary(), *self.notes, *left_out, *self._uneven(), *self._twice(), *self._pixels()]

    def changes(self, now: "Found") -> list[str]:
        """What is different now, a sentence each; nothing if the data are the same."""
        return [said for split in dict.fromkeys([*self.splits, *now.splits]) for said in self._changed(now, split)]

    def _changed(self, now: "Found", split: str) -> Iterator[str]:
        before, after = self.splits.get(split), now.splits.get(split)
        if before is None or after is None:
            yield f"the {split} split {'is gone' if after is None else 'is new'}"
        elif before.images != after.images or before.fingerprint != after.fingerprint:
            ours, theirs = before.classes, after.classes
            yield from (f"class {name} of {split} is gone" for name in ours if name not in theirs)
            yield from (f"class {name} of {split} is new" for name in theirs if name not in ours)
            for name in ours:
                if name in theirs and ours[name] != theirs[name]:
                    yield f"{split} images of {name}: {ours[name]:,} → {theirs[name]:,}"
            if before.images != after.images and not theirs:
                yield f"{split} images: {before.images:,} → {after.images:,}"
            elif ours == theirs:
                yield f"{split}: as many images as before, with other names or contents"

    # the sentences of `told`

    def _summary(self) -> str:
        splits = ", ".join(f"{name} {split.images:,}" for name, split in self.splits.items())
        classes = counted(max((len(split.classes) for split in self.splits.values()), default=0), "class", "classes")
        return f"{splits} images of {classes}" + (f" ({self.layout})" if self.layout else "")

    def _uneven(self) -> Iterator[str]:
        train = self.splits.get("train")
        if train and train.classes and train.largest_share > (1 + 1 / len(train.classes)) / 2:
            largest = max(train.classes, key=lambda name: train.classes[name])
            yield (
                f"{train.largest_share:.0%} of the training images are {largest}: accuracy alone says little, "
                "see the recall of each class"
            )

    def _twice(self) -> Iterator[str]:
        for where, number in self.copies.items():
            images = f"{counted(number, 'image')} {'is' if number == 1 else 'are'}"
            place = f"both {where.replace(', ', ' and ')}" if ", " in where else f"{where} more than once"
            yield f"{images} in {place} (the same content)"

    def _pixels(self) -> Iterator[str]:
        for bits, depth in self.depths.items():
            yield from depth.told(f"of {bits} bits" if int(bits) else "in floating point")
        if self.see_through:
            yield (
                f"a band of {counted(self.see_through, 'image')} was taken for transparency, and the image put on "
                "white; if it is a channel of its own, set data.in_chans=4"
            )


def _exact(value: float) -> str:
    """Whole numbers in full: 4294967295."""
    return f"{value:.0f}" if value.is_integer() else f"{value:g}"


@dataclass(frozen=True)
class DataRecord(Record):
    """The pictures of a run. `order` says how those of training are shuffled; `classes` are their names."""

    file: ClassVar[str] = "data.json"

    order: str
    train: SplitRecord
    val: SplitRecord
    test: SplitRecord
    classes: tuple[str, ...] = ()
    found: Found | None = None

    def split(self, name: str) -> SplitRecord:
        """The record of `train`, `val` or `test`."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]
