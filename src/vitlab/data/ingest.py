"""Ingestion: from pictures as they are stored to splits that can be trained on.

A set that fits in memory is decoded once and kept in the cache; a larger one stays encoded. What is unreadable is found
by one pass over everything, left out of the index and listed by name: a split's index is the same either way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import psutil
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data import cache
from vitlab.data.decode import Frame
from vitlab.data.encoded import Encoded
from vitlab.data.images import Images, Splits, check
from vitlab.data.splits import hold_out
from vitlab.data.workers import Decoded, ahead, begin

T = TypeVar("T")

TOLERATED = 0.01  # the share of a split's pictures that may be unreadable
LOOK = Frame((8, 8), fit="squash")  # enough to see whether a picture is one; a JPEG is decoded at an eighth of its size
_SPLIT_SEED = 0  # of the test split, where a set has none of its own: the same for every run
_MEMORY_SHARE = 1 / 8
_BLOCK = 256  # pictures
_BLOCKS_AHEAD = 2


class Listing(NamedTuple):
    """What a storage holds: a split `train` and, unless it has no held-out one, a split `test`."""

    splits: Mapping[str, Encoded]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Where a set's pictures come from; `facts` and `files` say all that decides which they are.

    `open` opens the storage; it is not called when the decoded set is in the cache.
    """

    name: str
    facts: str
    open: Callable[[], Listing]
    files: Sequence[Path] = ()

    def entry(self, more: str) -> Path:
        """Where the cache keeps what is known of it."""
        return cache.entry(self.name, f"{self.facts} {more}", self.files)


def ingest(source: Source, frame: Frame, test_fraction: float) -> Splits:
    """The set without its unreadable pictures: decoded, if it fits in memory. Raises DataError if they are many.

    `test_fraction` of every class becomes the test split of a set that has none.
    """
    entry = source.entry(f"{frame} {test_fraction}")
    splits = cache.read(entry)
    if splits is None:
        listing = divided(source.open(), test_fraction)
        if fits(sum(map(len, listing.splits.values())), frame, smallest_memory()):
            splits = decoded_once(listing)
            cache.write(entry, splits)
        else:
            splits = left_encoded(listing, source.entry(f"{test_fraction}").with_suffix(".json"))
    return splits


def fits(count: int, frame: Frame, memory: int) -> bool:
    """Whether `count` decoded pictures take at most an eighth of `memory` bytes."""
    channels, rows, columns = frame.shape
    return count * channels * rows * columns <= _MEMORY_SHARE * memory


def smallest_memory() -> int:
    """Bytes of the machine's memory or of a GPU's, whichever is less, free or not: always as many."""
    gpus = [torch.cuda.get_device_properties(gpu).total_memory for gpu in range(torch.cuda.device_count())]
    return min([psutil.virtual_memory().total, *gpus])


def divided(listing: Listing, test_fraction: float) -> Listing:
    """With a test split: the storage's own, or `test_fraction` of every class, at least one picture of two or more."""
    splits = dict(listing.splits)
    if "test" not in splits:
        train = splits["train"]
        sizes = torch.bincount(train.labels.clamp(min=0)).tolist()
        counts = [max(min(max(round(test_fraction * size), 1), size - 1), 0) for size in sizes]
        kept, held = hold_out(train.labels, counts, _SPLIT_SEED)
        splits = {"train": train.subset(kept), "test": train.subset(held)}
    for split, pictures in splits.items():
        if len(pictures) == 0:
            raise DataError(f"the {split} split has no picture")
        if (pictures.labels < 0).all():  # published so, for a contest
            raise DataError(f"the {split} split has no labels; choose another one with data.held_out")
    check(Splits(splits["train"], splits["test"], listing.class_names))
    return Listing(splits, listing.class_names)


# ----------------------------------------------------------------------------------------------- in memory or not


def decoded_once(listing: Listing) -> Splits:
    """Everything decoded, in memory. Raises DataError if too much of it is unreadable."""
    images, unreadable = {}, {}
    for split, pictures in listing.splits.items():
        pixels, bad = decode_all(pictures, f"decoding the {split} split")
        unreadable[split] = left_out(split, len(pictures), _named(pictures, bad))
        images[split] = Images(pixels, pictures.labels)
        if bad:
            images[split] = images[split].subset(_others(len(pictures), bad))
    return Splits(images["train"], images["test"], listing.class_names, unreadable)


def left_encoded(listing: Listing, memory: Path) -> Splits:
    """Everything as it is stored; what is unreadable is remembered at `memory`. Raises DataError if that is much."""
    known = cache.read_facts(memory).get("unreadable")
    if known is None:
        looked = {split: Encoded(p.stored, p.rows, p.labels, LOOK) for split, p in listing.splits.items()}
        known = {split: decode_all(p, f"looking at the {split} split").unreadable for split, p in looked.items()}
        cache.keep_facts(memory, {"unreadable": known})
    splits, unreadable = {}, {}
    for split, pictures in listing.splits.items():
        bad = {int(index): why for index, why in known[split].items()}  # a JSON object's keys are texts
        unreadable[split] = left_out(split, len(pictures), _named(pictures, bad))
        splits[split] = pictures.subset(_others(len(pictures), bad))
    return Splits(splits["train"], splits["test"], listing.class_names, unreadable)


def decode_all(pictures: Encoded, title: str) -> Decoded:
    """All pixels [n, C, H, W], and why, by index, some are unreadable: their rows are to be left out.

    On a terminal a bar with the `title` shows how far it is.
    """
    pixels = torch.empty((len(pictures), *pictures.frame.shape), dtype=torch.uint8)
    starts = range(0, len(pictures), _BLOCK)
    rows = pictures.rows.tolist()
    blocks = (begin(pictures.stored, rows[start : start + _BLOCK], pictures.frame) for start in starts)
    unreadable: dict[int, str] = {}
    for start, block in zip(starts, _shown(ahead(blocks, _BLOCKS_AHEAD), title, len(starts)), strict=True):
        pixels[start : start + len(block.pixels)] = block.pixels
        unreadable |= {start + place: why for place, why in block.unreadable.items()}
    return Decoded(pixels, unreadable)


def _shown(items: Iterable[T], title: str, total: int) -> Iterable[T]:
    """The items; on a terminal a bar shows how many have come."""
    console = Console(stderr=True)
    return track(items, title, total, console=console, transient=True, disable=not console.is_terminal)


def left_out(split: str, count: int, bad: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The names of unreadable pictures, given names and reasons. Raises DataError if they are too many of `count`."""
    if len(bad) > TOLERATED * count:
        raise too_many(split, count, len(bad), bad)
    return tuple(name for name, _ in bad)


def too_many(split: str, count: int, unreadable: int, examples: Sequence[tuple[str, str]]) -> DataError:
    """What to raise when so many of `count` pictures are unreadable."""
    first = "; ".join(f"{name}: {why}" for name, why in examples[:3])
    return DataError(
        f"{unreadable:,} of {count:,} {split} pictures are unreadable ({unreadable / count:.1%}; up to {TOLERATED:.0%} "
        f"would be left out): {first}"
    )


def _named(pictures: Encoded, bad: Mapping[int, str]) -> list[tuple[str, str]]:
    return [(pictures.name(index), why) for index, why in bad.items()]


def _others(count: int, bad: Mapping[int, str]) -> Tensor:
    """The indices below `count` that are not in `bad`."""
    kept = torch.ones(count, dtype=torch.bool)
    kept[list(bad)] = False
    return kept.nonzero().flatten()
