"""Small pictures of what the parts of each cell's model do: where it attends, which positions are alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vitlab.base.words import slug
from vitlab.records.glimpse import Glimpse
from vitlab.report.beside import Beside
from vitlab.report.charts.theme import COLOURS
from vitlab.report.images import address, image_of, png

_SIDE = 96  # pixels, of a picture
_COVERED = 0.8  # of a picture's pixel where most attention is
Drawn = Callable[[Glimpse, np.ndarray], Image.Image]


@dataclass(frozen=True)
class SmallPicture:
    """What a cell's model does, as a data address, in words for who does not see it; `why` there is none."""

    address: str = ""
    alt: str = ""
    why: str = ""


@dataclass(frozen=True)
class GlimpsedCell:
    """A cell, where its model attends, and which positions are alike."""

    name: str
    attention: SmallPicture
    positions: SmallPicture


def glimpsed(glimpses: Mapping[str, Glimpse], beside: Beside) -> list[GlimpsedCell]:
    """Every cell of which there is a glimpse."""
    return [
        GlimpsedCell(
            name,
            _small("attention", name, glimpse, glimpse.attention, _attended, beside),
            _small("positions", name, glimpse, glimpse.positions, _alike, beside),
        )
        for name, glimpse in glimpses.items()
    ]


def _small(
    what: str, cell: str, glimpse: Glimpse, grid: np.ndarray | None, draw: Drawn, beside: Beside
) -> SmallPicture:
    if grid is None:
        return SmallPicture(why=f"no {what} to draw")
    file = f"{what}_{slug(cell)}.png"
    beside[file] = png(draw(glimpse, grid))
    row, column = np.unravel_index(grid.argmax(), grid.shape)
    alt = f"{cell}, {what}: most at row {row + 1}, column {column + 1} of {grid.shape[0]} × {grid.shape[1]} patches"
    return SmallPicture(address(beside[file]), alt)


def _attended(glimpse: Glimpse, grid: np.ndarray) -> Image.Image:
    """The picture, the more covered with colour the more a patch is attended to."""
    picture = _sized(image_of(glimpse.picture).convert("RGB"), grid)
    cover = _cover(_COVERED * grid.clip(0) / (grid.max() or 1.0), grid)
    return Image.composite(Image.new("RGB", picture.size, COLOURS["second"]), picture, cover)


def _alike(glimpse: Glimpse, grid: np.ndarray) -> Image.Image:
    """The grid in the accent's colour, the less transparent the more alike."""
    cover = _cover((grid - grid.min()) / (np.ptp(grid) or 1.0), grid)
    picture = Image.new("RGBA", cover.size, COLOURS["accent"])
    picture.putalpha(cover)
    return picture


def _cover(shares: np.ndarray, grid: np.ndarray) -> Image.Image:
    return _sized(Image.fromarray(np.uint8(255 * shares)), grid)


def _sized(picture: Image.Image, grid: np.ndarray) -> Image.Image:
    """Of one size, with edges of pixels and patches that stay sharp, in the proportions of the grid."""
    rows, columns = grid.shape
    scale = _SIDE / max(rows, columns)
    return picture.resize((round(scale * columns), round(scale * rows)), Image.Resampling.NEAREST)
