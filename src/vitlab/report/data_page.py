"""The page of a data set: what a look at it found, and a contact sheet of every class."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from vitlab.records.data import Found
from vitlab.report.beside import Beside
from vitlab.report.images import address, png
from vitlab.report.template import Page, render

PICTURE_SIDE = 96  # pixels, of the longer side


def data_page(name: str, found: Found, sheet: Mapping[str, Mapping[str, Sequence[np.ndarray]]]) -> Page:
    """The page of the data set `name`; `sheet` has some images, [H, W, C] uint8 each, by class and split."""
    splits = list(found.splits)
    rows = [(of_class, [found.splits[split].classes.get(of_class, 0) for split in splits]) for of_class in sheet]
    images = {
        of_class: {split: list(map(_address, some)) for split, some in by_split.items() if some}
        for of_class, by_split in sheet.items()
    }
    headline, *notes = found.told()
    values = {"name": name, "headline": headline, "notes": notes, "splits": splits, "rows": rows, "images": images}
    made_by = f"vitlab data {name}"
    return Page(render("data.html", made_by=made_by, **values), Beside())


def _address(pixels: np.ndarray) -> str:
    """[H, W, C] uint8 -> a data address of a small one; of several bands the first three are seen."""
    seen = pixels[..., 0] if pixels.shape[-1] in (1, 2) else pixels[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(seen))
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return address(png(picture))
