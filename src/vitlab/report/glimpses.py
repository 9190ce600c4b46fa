"""Small pictures of what the parts of each cell's model do: where it attends, which positions are alike."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from vitlab.base.words import slug
from vitlab.records.glimpse import Glimpse
from vitlab.records.inside import PAGE, STEPS, Inside, read_inside
from vitlab.report.beside import Beside
from vitlab.report.charts.theme import COLOURS
from vitlab.report.images import address, image_of, png

_SIDE = 96  # pixels, of a picture
_MAPS = 8  # pictures of which cells are compared
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


@dataclass(frozen=True)
class MappedPicture:
    """Where one cell's model looks in a picture; `label` is the picture's class."""

    label: str
    address: str = ""
    alt: str = ""
    why: str = ""


@dataclass(frozen=True)
class MappedCell:
    """A cell, the address of the page about its inside if there is one, and its maps."""

    name: str
    page: str
    pictures: list[MappedPicture]


def maps_of_cells(insides: Mapping[str, Path], page_in: Path, beside: Beside) -> list[MappedCell]:
    """Of every cell that was looked into, its maps of the pictures that all have; `page_in` has the study's page."""
    found = {cell: read_inside(folder) for cell, folder in insides.items()}
    shared = [name for name in next(iter(found.values())).told.names if _all_have(found, name)] if found else []
    return [
        MappedCell(
            cell, _page_of(insides[cell], page_in), [_mapped(cell, each, name, beside) for name in shared[:_MAPS]]
        )
        for cell, each in found.items()
    ]


def _all_have(found: Mapping[str, Inside], name: str) -> bool:
    return all(name in each.told.names for each in found.values())


def _page_of(folder: Path, page_in: Path) -> str:
    """A link that holds wherever the study is copied to; empty if the page is not there."""
    page = folder / PAGE
    return quote(os.path.relpath(page.resolve(), page_in.resolve()).replace(os.sep, "/")) if page.exists() else ""


def _mapped(cell: str, found: Inside, name: str, beside: Beside) -> MappedPicture:
    number = found.told.names.index(name)
    label = found.told.labels[number] or name
    if "attention" not in found.arrays:
        return MappedPicture(label, why="no attention")
    own, steps = len(found.told.own), found.arrays["attention"][number, -1].astype(float)
    shares = (steps / STEPS * found.arrays["attention_most"][number, -1, :, :, None]).mean(0)  # [N, K]
    reads = shares[0] if found.told.reads == "cls" else shares[own:].mean(0)
    grid = reads[own:].reshape(found.told.keys)
    file = f"map_{slug(cell)}_{number}.png"
    beside[file] = png(_attended(Glimpse("test", found.arrays["pictures"][number]), grid))
    return MappedPicture(label, address(beside[file]), f"{cell}, {name} ({label}): where it looks")


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
