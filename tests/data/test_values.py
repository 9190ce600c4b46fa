"""Deep pictures: which value is white, which bands a picture has, and what a look at it tells."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from vitlab.data.decode import Frame, Seen, Unreadable, decode, look

SIZE = (6, 4)


def png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel [h, w, n], which Pillow cannot write for colours."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2]]
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def tiff(values: np.ndarray, **settings: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **settings)
    return buffer.getvalue()


def by_pillow(values: np.ndarray, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind, **settings)
    return buffer.getvalue()


def seen(stored: bytes, in_chans: int, white: float | None = None) -> Seen:
    return look(stored, Frame(SIZE, in_chans, white=white))[1]


def pixels(stored: bytes, in_chans: int, white: float | None = None) -> np.ndarray:
    """[h, w, C], as numbers"""
    return decode(stored, Frame(SIZE, in_chans, white=white)).permute(1, 2, 0).numpy().astype(int)


def drawn(*bands: int, most: int = 65_535, kind: str = "uint16") -> np.ndarray:
    return np.random.default_rng(0).integers(0, most, (*SIZE, *bands), endpoint=True).astype(kind)


# ------------------------------------------------------------------------------------------------------------- white


@pytest.mark.parametrize(("most", "white"), [(0.99, None), (1.1, None), (90.0, 100), (254.7, 255), (4000.0, 4095)])
def test_floating_point_has_one_white_whatever_the_picture_holds(most: float, white: float | None):
    values = np.linspace(0, most, 24, dtype=np.float32).reshape(SIZE)
    expected = np.rint((values / (white or 1)).clip(0, 1) * 255)
    assert np.array_equal(pixels(by_pillow(values, "TIFF"), 1, white)[..., 0], expected)
    assert seen(by_pillow(values, "TIFF"), 1, white) == Seen(0, 0.0, float(values.max()), white or 1.0, False)


def test_holes_are_black_and_do_not_count():
    values = np.full(SIZE, 0.5, np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    assert pixels(by_pillow(values, "TIFF"), 1)[0, :, 0].tolist() == [0, 0, 0, 128]
    assert seen(by_pillow(values, "TIFF"), 1)[:3] == (0, 0.0, 0.5)


@pytest.mark.parametrize("kind", ["uint32", "int32", "int16"])
def test_whole_numbers_have_the_white_of_16_bits_and_nothing_is_stretched(kind: str):
    values = np.linspace(0, 30_000, 24).astype(kind).reshape(SIZE)
    values[5, 3] = min(np.iinfo(kind).max, 3_000_000_000)
    found = pixels(tiff(values), 1)[..., 0]
    assert np.array_equal(found, np.rint(values.clip(0, 65_535) / 257))
    assert seen(tiff(values), 1) == Seen(8 * values.itemsize, 0.0, float(values.max()), 65_535.0, False)


def test_below_zero_is_black_and_said():
    values = drawn(10, most=3000, kind="int16") - np.int16(500)
    stored = tiff(values, photometric="minisblack", planarconfig="contig")
    assert np.array_equal(pixels(stored, 10, 2500), np.rint(values.clip(0, None) * np.float32(255 / 2500)))
    assert seen(stored, 10) == Seen(16, float(values.min()), float(values.max()), 65_535.0, False)


@pytest.mark.parametrize("in_chans", [1, 3])
def test_white_of_8_bits(in_chans: int):
    values = np.arange(24, dtype=np.uint8).reshape(SIZE)
    expected = np.rint(values.clip(0, 19) * (255 / 19))
    assert np.array_equal(pixels(by_pillow(values, "PNG"), in_chans, 19), np.stack([expected] * in_chans, axis=-1))
    assert seen(by_pillow(values, "PNG"), in_chans) == Seen(8, 0.0, 23.0, 255.0, False)


def test_white_of_8_bits_leaves_transparency_alone():
    values = np.full((*SIZE, 4), (10, 20, 0, 51), np.uint8)
    assert pixels(by_pillow(values, "PNG"), 3, 20)[0, 0].tolist() == [230, 255, 204]
    assert seen(by_pillow(values, "PNG"), 3) == Seen(8, 0.0, 20.0, 255.0, True)


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(lambda v: png(v), id="PNG"),
        pytest.param(lambda v: tiff(v, photometric="rgb"), id="TIFF"),
        pytest.param(lambda v: tiff(v, photometric="rgb", compression="zlib", predictor=True), id="packed TIFF"),
        pytest.param(lambda v: tiff(np.moveaxis(v, 2, 0), photometric="rgb", planarconfig="separate"), id="planes"),
    ],
)
def test_all_of_16_bits_of_colour(stored):
    values = drawn(3, most=4095)
    assert np.array_equal(pixels(stored(values), 3, 4095), np.rint(values.astype(np.float32) * np.float32(255 / 4095)))
    assert np.array_equal(pixels(stored(values), 3), np.rint(values / 257))
    assert seen(stored(values), 3) == Seen(16, float(values.min()), float(values.max()), 65_535.0, False)
    brightness = values @ [0.299, 0.587, 0.114] * 255 / 4095
    assert np.abs(pixels(stored(values), 1, 4095)[..., 0] - brightness).max() < 1.6


def test_where_tifffile_knows_no_codec_pillow_reads_what_it_can(monkeypatch: pytest.MonkeyPatch):
    def unpacked(page: tifffile.TiffPage) -> np.ndarray:
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", unpacked)
    values = drawn(3, most=4095)
    found = pixels(tiff(values, photometric="rgb"), 3, 4095)
    assert np.array_equal(found, np.rint(values.astype(np.float32) * np.float32(255 / 4095)))
    with pytest.raises(Unreadable, match="its compression needs the package imagecodecs"):
        pixels(tiff(drawn(4), photometric="rgb", extrasamples=["unspecified"]), 4)


def test_16_bits_with_transparency():
    values = drawn(4, most=4095)
    values[..., 3] = 65_535
    values[0, 0, 3] = 0
    for stored in (png(values), tiff(values, photometric="rgb", extrasamples=["unassalpha"])):
        found = pixels(stored, 3, 4095)
        assert found[0, 0].tolist() == [255, 255, 255]
        assert np.array_equal(found[1:], np.rint(values[1:, :, :3] * np.float32(255 / 4095)))
        assert seen(stored, 3).see_through
    grey = png(values[..., [0, 3]])
    assert pixels(grey, 1, 4095)[0, 0] == 255
    assert np.abs(pixels(grey, 1, 4095)[1:, :, 0] - values[1:, :, 0] * (255 / 4095)).max() < 17  # the upper byte


def test_colours_that_were_multiplied_with_their_transparency():
    values = np.full((*SIZE, 4), (16_384, 0, 8_192, 32_768), np.uint16)
    found = pixels(tiff(values, photometric="rgb", extrasamples=["assocalpha"]), 3)
    assert np.abs(found[0, 0] - [191, 127, 159]).max() <= 1  # halfway from half a red and a quarter of blue to white


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_white_may_be_stored_as_zero(kind: str):
    values = (np.linspace(0, 1, 24) * (np.iinfo(kind).max if kind != "float32" else 1)).astype(kind).reshape(SIZE)
    dark = pixels(tiff(values, photometric="minisblack"), 1)
    assert np.abs(pixels(tiff(values, photometric="miniswhite"), 1) - (255 - dark)).max() <= 1


def test_the_whole_range_of_a_deep_pgm_is_16_bits():
    values = drawn()
    values[0, 0] = 65_496
    stored = b"P5 4 6 65535\n" + values.astype(">u2").tobytes()
    assert np.array_equal(pixels(stored, 1)[..., 0], np.rint(values / 257))
    assert seen(stored, 1).bits == 16


# ------------------------------------------------------------------------------------------------------------- bands

LAYOUTS = {
    "two bands": (2, {"photometric": "minisblack", "planarconfig": "contig"}),
    "three bands": (3, {"photometric": "minisblack", "planarconfig": "contig"}),
    "colours and a band": (4, {"photometric": "rgb", "extrasamples": ["unspecified"]}),
    "colours and transparency": (4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "ten bands": (10, {"photometric": "minisblack", "planarconfig": "contig"}),
    "planes": (4, {"photometric": "rgb", "planarconfig": "separate"}),
}


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_bands_are_read_whatever_their_layout(layout: str, kind: str):
    bands, settings = LAYOUTS[layout]
    values = drawn(bands, most=int(np.iinfo(kind).max), kind=kind)
    lying = np.moveaxis(values, 2, 0) if layout == "planes" else values
    found = pixels(tiff(lying, **settings), bands)
    assert np.array_equal(found, np.rint(values * np.float32(255 / np.iinfo(kind).max)))


@pytest.mark.parametrize(("layout", "in_chans"), [("two bands", 1), ("colours and a band", 3), ("ten bands", 3)])
def test_no_band_is_left_out(layout: str, in_chans: int, caplog: pytest.LogCaptureFixture):
    bands, settings = LAYOUTS[layout]
    stored = tiff(drawn(bands, most=255, kind="uint8"), **settings)
    with pytest.raises(Unreadable, match=f"it has {bands} bands, and data.in_chans={in_chans}"):
        decode(stored, Frame(SIZE, in_chans))
    assert not caplog.records


def test_one_band_is_counted_as_one():
    with pytest.raises(Unreadable, match="it has 1 band, and"):
        decode(tiff(drawn()), Frame(SIZE, in_chans=2))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bits_of_colour_are_upright(orientation: int):
    """As Pillow turns 8 bits."""
    values = drawn(3, most=255, kind="uint8")
    exif = Image.Exif()
    exif[274] = orientation
    shallow = by_pillow(values, "TIFF", exif=exif)
    deep = tiff(values.astype(np.uint16) * 257, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    frame = Frame((4, 6) if orientation > 4 else SIZE, fit="exact")
    assert torch.equal(decode(deep, frame), decode(shallow, frame))


@pytest.mark.parametrize("picture", [lambda v: by_pillow(v, "PNG"), tiff], ids=["PNG", "TIFF"])
def test_what_is_too_large_is_refused_before_it_is_decoded(picture):
    whole = picture(np.zeros((300, 200, 3), np.uint8))
    with pytest.raises(Unreadable, match=r"it has 200 × 300 pixels; data\.max_pixels=59999 is the limit"):
        decode(whole[: len(whole) // 2], Frame(SIZE, max_pixels=59_999))
