"""How far it gets to name the largest class always: it is right in the share of the images that this class has.

Classes are uneven if the largest has at least twice the images of the smallest that occurs.
"""

from collections.abc import Mapping
from typing import NamedTuple

UNEVEN = 2  # the ratio of the largest class to the smallest


class Majority(NamedTuple):
    """The largest class of a split, and its share of the images."""

    name: str
    share: float


def majority(images: Mapping[str, int]) -> Majority | None:
    """The largest class, of images by class; None where classes are even, so that it says nothing."""
    occurring = {name: count for name, count in images.items() if count}
    if len(occurring) < 2 or max(occurring.values()) < UNEVEN * min(occurring.values()):
        return None
    largest = max(occurring, key=occurring.__getitem__)
    return Majority(largest, occurring[largest] / sum(occurring.values()))
