"""Small pictures of what parts do: the right patch is the coloured one, and what is not there says so."""

from io import BytesIO

import numpy as np
from PIL import Image

from tests.records.test_inside import TOLD
from vitlab.records.glimpse import Glimpse
from vitlab.records.inside import Inside, InsideTold
from vitlab.report.beside import Beside
from vitlab.report.glimpses import glimpsed, maps_of_cells

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


def test_maps_of_cells_are_of_the_pictures_that_all_have_and_link_to_their_pages(tmp_path):
    """The mean over heads of the last block, from the cls token: here all of it is at row 1, column 3."""
    told = {**TOLD.__dict__, "names": ("one", "two"), "labels": ("cat", ""), "says": ("", "")}
    attention = np.zeros((2, 1, 2, 7, 7), np.uint8)
    attention[:, -1, :, 0, 1 + 2] = 255
    arrays = {"attention": attention, "attention_most": np.ones((2, 1, 2, 7), np.float32)}
    folders = {"heads 1": tmp_path / "inside" / "heads 1", "pooling": tmp_path / "inside" / "pooling"}
    pictures = np.full((2, 8, 12, 3), 128, np.uint8)
    Inside(InsideTold(**told), {"pictures": pictures, **arrays}).write(folders["heads 1"])
    Inside(InsideTold(**told | {"names": ("two", "three")}), {"pictures": pictures}).write(folders["pooling"])
    (folders["heads 1"] / "inside.html").write_text("a page")
    beside = Beside()
    heads, pooling = maps_of_cells(folders, tmp_path, beside)
    assert (heads.name, heads.page, pooling.page) == ("heads 1", "inside/heads%201/inside.html", "")
    ((looks,), (without,)) = heads.pictures, pooling.pictures
    assert (looks.label, without.why) == ("two", "no attention")
    picture = Image.open(BytesIO(beside["map_heads-1_1.png"]))
    red, _, blue = picture.getpixel((95, 0))
    assert red > 128 > blue
    assert picture.getpixel((0, 63)) == (128, 128, 128)
    assert maps_of_cells({}, tmp_path, beside) == []
