"""Small pictures of what parts do: the right patch is the coloured one, and what is not there says so."""

from io import BytesIO

import numpy as np
from PIL import Image

from vitlab.records.glimpse import Glimpse
from vitlab.report.beside import Beside
from vitlab.report.glimpses import glimpsed

GREY = np.full((8, 8, 1), 128, np.uint8)


def grid(row, column):
    found = np.zeros((2, 3), np.float32)
    found[row, column] = 1.0
    return found


def test_the_patch_that_has_it_all_is_coloured_and_named():
    beside = Beside()
    (cell,) = glimpsed({"heads 1": Glimpse("test", GREY, grid(0, 2), grid(1, 0))}, beside)
    assert cell.attention.alt == "heads 1, attention: most at row 1, column 3 of 2 × 3 patches"
    assert cell.positions.alt == "heads 1, positions: most at row 2, column 1 of 2 × 3 patches"
    attention, positions = (Image.open(BytesIO(beside[f"{name}_heads-1.png"])) for name in ("attention", "positions"))
    assert attention.size == positions.size == (96, 64)
    red, _, blue = attention.getpixel((95, 0))
    assert red > 128 > blue
    assert attention.getpixel((0, 63)) == (128, 128, 128)
    assert positions.getpixel((0, 63))[3] == 255
    assert positions.getpixel((95, 0))[3] == 0
    assert cell.attention.address.startswith("data:image/png;base64,")


def test_what_a_model_does_not_have_is_said():
    (cell,) = glimpsed({"no positions": Glimpse("test", GREY, grid(0, 0), None)}, Beside())
    assert (cell.positions.address, cell.positions.why) == ("", "no positions to draw")


def test_maps_that_are_even_everywhere_are_drawn():
    even = np.zeros((2, 2), np.float32)
    beside = Beside()
    glimpsed({"a": Glimpse("test", GREY, even, even)}, beside)
    assert Image.open(BytesIO(beside["attention_a.png"])).getpixel((3, 3)) == (128, 128, 128)
