"""Ingestion: from pictures as they are stored to splits that can be trained on.

A set that fits in memory is decoded once and kept in the cache; a larger one stays encoded, and so does one whose
pictures are cropped as they are stored. What is unreadable is found
by one pass over everything, left out of the index and listed by name: a split's index is the same either way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from vitlab.base.env import usable_memory
from vitlab.base.errors import DataError
from vitlab.base.going_on import Heartbeat
from vitlab.data import cache
from vitlab.data.decode import Frame
from vitlab.data.encoded import Encoded
from vitlab.data.images import Images, Pictures, Splits, check
from vitlab.data.look import Look, copies, fingerprint, found
from vitlab.data.splits import hold_out
from vitlab.data.workers import DIGEST_BYTES, ahead, begin_look

T = TypeVar("T")

LOOK_SIZE = (8, 8)
_SPLIT_SEED = 0  # of the test split, where a set has none of its own: the same for every run
_MEMORY_SHARE = 1 / 8
_BLOCK = 256  # pictures
_BLOCKS_AHEAD = 2


class Listing(NamedTuple):
    """What a storage holds: `train`, `val` and `test`, as far as it has them; and what is to be said of it."""

    splits: Mapping[str, Encoded]
    class_names: tuple[str, ...]
    layout: str = ""
    notes: tuple[str, ...] = ()
    not_pictures: Mapping[str, int] = {}


class Rules(NamedTuple):
    """`test_fraction` of every class becomes the test split of a set that has none; None: the set is only evaluated,
    on its held-out pictures, or on all of them. Up to `max_unreadable` of a split's pictures may be left out.
    `as_stored`: nothing is decoded beforehand, though it would fit in memory.
    """

    test_fraction: float | None
    max_unreadable: float = 0.01
    as_stored: bool = False


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


def ingest(source: Source, frame: Frame, rules: Rules) -> Splits:
    """The set without its unreadable pictures: decoded, if it fits in memory. Raises DataError if they are many."""
    looks = source.entry(f"{rules.test_fraction}")
    if rules.as_stored:
        return left_encoded(divided(source.open(), rules.test_fraction), rules, looks)
    entry = source.entry(f"{frame} {rules}")
    splits = cache.read(entry)
    if splits is None:
        listing = divided(source.open(), rules.test_fraction)
        if not fits(sum(map(len, listing.splits.values())), frame, smallest_memory()):
            return left_encoded(listing, rules, looks)
        splits = decoded_once(listing, rules)
        cache.write(entry, splits)
    return splits


def fits(count: int, frame: Frame, memory: int) -> bool:
    """Whether `count` decoded pictures take at most an eighth of `memory` bytes."""
    channels, rows, columns = frame.shape
    return count * channels * rows * columns <= _MEMORY_SHARE * memory


def smallest_memory() -> int:
    """Bytes of the machine's memory or of a GPU's, whichever is less, free or not: always as many."""
    gpus = [torch.cuda.get_device_properties(gpu).total_memory for gpu in range(torch.cuda.device_count())]
    return min([usable_memory(), *gpus])


def divided(listing: Listing, test_fraction: float | None) -> Listing:
    """With a test split: the storage's own, or `test_fraction` of every class, at least one picture of two or more."""
    splits = dict(listing.splits)
    if test_fraction is None:
        splits = {"test": splits.get("test", splits.get("train"))}  # type: ignore[dict-item]  # it has one of them
    elif "test" not in splits:
        train = splits["train"]
        sizes = torch.bincount(train.labels.clamp(min=0)).tolist()
        counts = [max(min(max(round(test_fraction * size), 1), size - 1), 0) for size in sizes]
        kept, held = hold_out(train.labels, counts, _SPLIT_SEED)
        if len(train) and not len(held):
            raise DataError("no class has two pictures, of which one could be held out: a test split is needed")
        splits |= {"train": train.subset(kept), "test": train.subset(held)}
    for split, pictures in splits.items():
        if len(pictures) == 0:
            raise DataError(f"the {split} split has no picture")
        if (pictures.labels < 0).all():  # published so, for a contest
            raise DataError(f"the {split} split has no labels; choose another one with data.held_out")
    check(_splits(splits, listing.class_names))
    return listing._replace(splits=splits)


def _splits(splits: Mapping[str, Pictures], class_names: tuple[str, ...], **more: Any) -> Splits:
    test = splits["test"]
    train = splits["train"] if "train" in splits else test.subset(torch.arange(0))
    return Splits(train, test, class_names, val=splits.get("val"), **more)


# ----------------------------------------------------------------------------------------------- in memory or not


def decoded_once(listing: Listing, rules: Rules) -> Splits:
    """Everything decoded, in memory. Raises DataError if too much of it is unreadable."""
    images, looks = {}, {}
    for split, pictures in listing.splits.items():
        pixels, looks[split] = decode_all(pictures, f"decoding the {split} split")
        images[split] = Images(pixels, pictures.labels)
    return _without_unreadable(images, listing, looks, rules)


def left_encoded(listing: Listing, rules: Rules, memory: Path) -> Splits:
    """Everything as it is stored; what is seen is remembered at `memory`. Raises DataError if much is unreadable."""
    looks = cache.read_looks(memory)
    if looks is None or {split: len(look.digests) for split, look in looks.items()} != _sizes(listing):
        small = {split: replace(pictures, frame=_small(pictures.frame)) for split, pictures in listing.splits.items()}
        looks = {split: decode_all(pictures, f"looking at the {split} split")[1] for split, pictures in small.items()}
        cache.write_looks(memory, looks)
    return _without_unreadable(listing.splits, listing, looks, rules)


def _small(frame: Frame) -> Frame:
    """Enough to see whether a picture is one; a JPEG is decoded at an eighth of its size."""
    return replace(frame, img_size=LOOK_SIZE, fit="squash")


def _sizes(listing: Listing) -> dict[str, int]:
    return {split: len(pictures) for split, pictures in listing.splits.items()}


def _without_unreadable(
    pictures: Mapping[str, Pictures], listing: Listing, looks: Mapping[str, Look], rules: Rules
) -> Splits:
    """The splits of what can be read, and the record of the look."""
    names, kept, content, fingerprints = {}, {}, {}, {}
    all_copies = copies({split: look.digests for split, look in looks.items()})
    for split, look in looks.items():
        stored = listing.splits[split]
        bad = [(stored.name(index), why) for index, why in look.unreadable.items()]
        names[split] = left_out(split, len(stored), bad, rules.max_unreadable)
        fingerprints[split] = fingerprint(look.digests, stored.labels, listing.class_names, stored.identity)
        readable = _others(len(stored), look.unreadable)
        kept[split] = pictures[split].subset(readable) if bad else pictures[split]
        content[split] = all_copies[split][readable]
    about = {"layout": listing.layout, "notes": listing.notes, "not_pictures": listing.not_pictures}
    record = found(kept, listing.class_names, fingerprints, content, looks.values(), **about)
    return _splits(kept, listing.class_names, unreadable=names, copies=content, found=record)


def decode_all(pictures: Encoded, title: str) -> tuple[Tensor, Look]:
    """All pixels [n, C, H, W], and what was seen of them: the rows of what is unreadable are to be left out.

    A bar with the `title` shows how far it is, or a line now and then where there is no terminal.
    """
    pixels = torch.empty((len(pictures), *pictures.frame.shape), dtype=torch.uint8)
    starts = range(0, len(pictures), _BLOCK)
    rows = pictures.rows.tolist()
    blocks = (begin_look(pictures.stored, rows[start : start + _BLOCK], pictures.frame) for start in starts)
    look = Look(np.zeros((len(pictures), DIGEST_BYTES), np.uint8))
    for start, block in zip(starts, _shown(ahead(blocks, _BLOCKS_AHEAD), title, len(starts)), strict=True):
        pixels[start : start + len(block.pixels)] = block.pixels
        look.add(start, block)
    return pixels, look


def _shown(items: Iterable[T], title: str, total: int) -> Iterable[T]:
    """The items; on a terminal a bar shows how many have come, elsewhere a line now and then."""
    console = Console(stderr=True)
    if console.is_terminal:
        return track(items, title, total, console=console, transient=True)
    return _said(items, title, total, console)


def _said(items: Iterable[T], title: str, total: int, console: Console) -> Iterator[T]:
    count = 0
    with Heartbeat(console, lambda: f"{title}: {count / total:.0%} …"):
        for item in items:
            yield item
            count += 1


def left_out(split: str, count: int, bad: Sequence[tuple[str, str]], most: float) -> tuple[str, ...]:
    """The names of unreadable pictures, given names and reasons. Raises DataError if they are too many of `count`."""
    if len(bad) > most * count:
        raise too_many(split, count, len(bad), bad, most)
    return tuple(name for name, _ in bad)


def too_many(split: str, count: int, unreadable: int, examples: Sequence[tuple[str, str]], most: float) -> DataError:
    """What to raise when so many of `count` pictures are unreadable; the list of all is written beside the cache."""
    first = "; ".join(f"{name}: {why}" for name, why in examples[:3])
    whole = cache.write_list(f"unreadable-{split}", [f"{name}: {why}" for name, why in examples])
    allowed = f"data.max_unreadable={most:g} may be left out" if most else "none may be left out"
    return DataError(
        f"{unreadable:,} of {count:,} {split} pictures are unreadable ({unreadable / count:.1%}; {allowed}): {first}"
        + (f"; the whole list is in {whole}" if whole else "")
    )


def _others(count: int, bad: Mapping[int, str]) -> Tensor:
    """The indices below `count` that are not in `bad`."""
    kept = torch.ones(count, dtype=torch.bool)
    kept[list(bad)] = False
    return kept.nonzero().flatten()
