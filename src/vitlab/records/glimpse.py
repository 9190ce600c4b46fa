"""A run's glimpse.npz: what the parts of its trained model do, small enough for a page."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitlab.base.files import replacing
from vitlab.records._archives import damaged, read_of_split

FILE = "glimpse.npz"
_MAPS = ("attention", "positions")


@dataclass(frozen=True)
class Glimpse:
    """What a model makes of the first held-out picture. A map is over the grid of patches, [rows, columns] float32; it
    is None of a model whose parts have none.

    `attention`: from what the head reads, in the last block, the mean over heads; one patch is 1 if it has all.
    `positions`: how alike the positions of patches are to the central one's, apart from what the patches show.
    """

    split: str  # test, val or train
    picture: np.ndarray  # [H, W, C] uint8, C is 1 or 3
    attention: np.ndarray | None = None
    positions: np.ndarray | None = None

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        maps = {name: each for name in _MAPS if (each := getattr(self, name)) is not None}
        with replacing(folder / FILE) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, split=self.split, picture=self.picture, **maps)


def read_glimpse(folder: Path) -> Glimpse | None:
    """The record in a folder, or None. Raises DataError if it is damaged."""
    path = folder / FILE
    if (arrays := read_of_split(path, "picture")) is None:
        return None
    found = Glimpse(str(arrays["split"]), arrays["picture"], *(arrays.get(name) for name in _MAPS))
    if (broken := _broken(found)) is not None:
        raise damaged(path, broken)
    return found


def _broken(glimpse: Glimpse) -> str | None:
    """What is no glimpse about it; None if all is."""
    picture = glimpse.picture
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (1, 3) or not picture.size:
        return f"picture {picture.shape} {picture.dtype} is not one of 1 or 3 channels"
    for name in _MAPS:
        grid = getattr(glimpse, name)
        if grid is not None and (
            grid.dtype.kind != "f" or grid.ndim != 2 or not grid.size or not np.isfinite(grid).all()
        ):
            return f"{name} {grid.shape} {grid.dtype} is not a grid of numbers"
    return None
