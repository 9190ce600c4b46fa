"""A look at a data set: the fingerprint of its content, which pictures it has more than once, and how deep they are.

A fingerprint is made of what pictures are, not of where they lie: a set that was moved keeps it, and one in which a
picture, a name or a class has changed gets another.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from vitlab.data.images import Images, Pictures, Splits
from vitlab.data.workers import DIGEST_BYTES, LookedAt
from vitlab.records.data import Depth, Found, FoundSplit


@dataclass
class Look:
    """What is seen of a split's pictures while they are decoded: a hash of each one's bytes [n, 16] uint8; why, by
    index, some are unreadable; and of all others their depths, by bits of a value.
    """

    digests: np.ndarray
    unreadable: dict[int, str] = field(default_factory=dict)
    depths: dict[str, Depth] = field(default_factory=dict)
    see_through: int = 0

    def add(self, start: int, block: LookedAt) -> None:
        """What was seen of the pictures from `start` on."""
        self.digests[start : start + len(block.digests)] = block.digests
        self.unreadable |= {start + place: why for place, why in block.unreadable.items()}
        for picture in block.seen:
            depth = Depth(1, picture.brightest, picture.lowest, picture.white)
            self.depths = together(self.depths, {str(picture.bits): depth})
            self.see_through += picture.see_through


def together(one: Mapping[str, Depth], other: Mapping[str, Depth]) -> dict[str, Depth]:
    """Of both, by bits of a value."""
    both = {bits: one[bits].with_those_of(other[bits]) for bits in one.keys() & other.keys()}
    return dict(sorted({**one, **other, **both}.items(), key=lambda item: int(item[0])))


def fingerprint(digests: np.ndarray, labels: Tensor, class_names: Sequence[str], identity: Callable[[int], str]) -> str:
    """A hash of the pictures' names, classes and contents, in their order; `identity` gives a name by index."""
    whole = hashlib.blake2b(digest_size=8)
    for index, (digest, label) in enumerate(zip(digests, labels.tolist(), strict=True)):
        called = class_names[label] if 0 <= label < len(class_names) else str(label)
        whole.update(f"{identity(index)}\0{called}\0".encode("utf-8", "surrogateescape"))
        whole.update(digest.tobytes())
    return whole.hexdigest()


def copies(digests: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Digests [n, 16] of each split -> the number of each picture's content [n]: zero where no other one has it."""
    everything = np.concatenate(list(digests.values())).view([("", f"V{DIGEST_BYTES}")]).ravel()
    _, content, times = np.unique(everything, return_inverse=True, return_counts=True)
    numbers = np.where(times[content] > 1, content + 1, 0)
    ends = np.cumsum([len(values) for values in digests.values()])[:-1]
    return {
        split: torch.from_numpy(part.astype(np.int64))
        for split, part in zip(digests, np.split(numbers, ends), strict=True)
    }


def counted_copies(content: Mapping[str, Tensor]) -> dict[str, int]:
    """How many pictures of a split repeat another one of it, and how many of a split are in another one, too."""
    several = {split: numbers[numbers > 0] for split, numbers in content.items()}
    counts = {split: len(numbers) - len(numbers.unique()) for split, numbers in several.items()}
    splits = list(several)
    for at, one in enumerate(splits):
        for other in splits[at + 1 :]:
            counts[f"{one}, {other}"] = int(torch.isin(several[other], several[one]).sum())
    return {where: number for where, number in counts.items() if number}


def found(
    splits: Mapping[str, Pictures],
    class_names: Sequence[str],
    fingerprints: Mapping[str, str],
    content: Mapping[str, Tensor],
    looks: Iterable[Look] = (),
    **said: object,
) -> Found:
    """The record of a look; `said` is what the layout tells: `layout`, `notes`, `not_pictures`."""
    looks = list(looks)
    return Found(
        splits={
            split: FoundSplit(len(images), _by_class(images.labels, class_names), fingerprints.get(split))
            for split, images in splits.items()
        },
        depths=reduce(together, (look.depths for look in looks), {}),
        copies=counted_copies(content),
        see_through=sum(look.see_through for look in looks),
        **{"layout": "", **said},  # type: ignore[arg-type]
    )


def look_at(splits: Splits) -> tuple[Found, dict[str, Tensor]]:
    """The record of decoded pictures, of which nothing else is known, and which of them are the same."""
    held = splits.in_memory()
    digests = {split: _digests(images) for split, images in held.items()}
    content = copies(digests) if digests else {}
    fingerprints = {
        split: fingerprint(digests[split], images.labels, splits.class_names, lambda _: "")
        for split, images in held.items()
    }
    return found(held, splits.class_names, fingerprints, content), content


def _digests(images: Images) -> np.ndarray:
    hashes = [
        hashlib.blake2b(picture.tobytes(), digest_size=DIGEST_BYTES).digest() for picture in images.pixels.cpu().numpy()
    ]
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, DIGEST_BYTES)


def _by_class(labels: Tensor, class_names: Sequence[str]) -> dict[str, int]:
    counts = torch.bincount(labels.cpu().clamp(min=0), minlength=len(class_names)).tolist()
    return dict(zip(class_names, counts, strict=False))
