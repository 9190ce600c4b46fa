"""A picture as a person sees it: from the bytes of a file to pixels of one size.

Upright, in 8 bits, on white where it is transparent, the first of several frames. Everything that is seen by a model,
in training and in prediction, comes through `decode`.

Pillow decodes; torch resizes (bicubic, antialiased): on 8-bit pixels it is several times faster, and both let other
threads work meanwhile.
"""

import io
import math
import os
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError
from torch import Tensor
from torch.nn.functional import interpolate

from vitlab.base.errors import DataError

Fit = Literal["crop", "squash", "pad"]

MAX_PIXELS = 178_956_970  # Pillow's own limit, above which it takes a file for an attack on the memory
Image.MAX_IMAGE_PIXELS = None  # the limit is a setting here, and says so
# Text and colour profiles are passed over: only as a protection of the memory may they cost a picture
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 1 << 28

SUFFIXES = {
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".avif"),
}
# Nothing that starts another program or is no picture of pixels: Pillow hands PostScript to Ghostscript
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO")
_ON_ITS_SIDE = (5, 6, 7, 8)  # EXIF's orientations in which rows and columns change places
_PADDING = 128  # mid-grey, near zero once it is normalised

# Of a damaged EXIF block or a very large picture that can be decoded all the same
warnings.filterwarnings("ignore", module=r"PIL\.")


def looks_like_a_picture(name: str) -> bool:
    """By the name of a file, and whether it is hidden: macOS leaves `._cat.jpg`, which is none, beside `cat.jpg`."""
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")


class Unreadable(DataError):
    """Bytes, or a file, of which no picture can be made; the message says why, and not which."""


@dataclass(frozen=True)
class Frame:
    """What pictures are brought to: rows and columns, 1 channel (grey) or 3 (RGB), and how they are made to fit.

    `crop` resizes the shorter side, then cuts off what is over at both ends of the longer; `squash` changes the
    proportions; `pad` keeps everything, between grey bars; `exact` resizes nothing and refuses another size.

    `white` is the brightest value of pictures with more than 8 bits, None: as `_eight_bits` finds. Another number of
    channels than 1 and 3 takes a picture's bands as they are. A picture of more than `max_pixels` is unreadable.
    """

    img_size: tuple[int, int]
    in_chans: int = 3
    fit: Fit | Literal["exact"] = "crop"
    white: float | None = None
    max_pixels: int = MAX_PIXELS

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a decoded picture, one byte an element."""
        return self.in_chans, *self.img_size


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


class Cut(Protocol):
    """What one sample sees of a picture as it is stored: a box of it, resized. `vitlab.augment.stored` has them."""

    @property
    def size(self) -> tuple[int, int]:
        """The rows and columns that it comes out with."""

    def box(self, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Top, left, height and width in a picture of that size."""

    def resized(self, box: Tensor) -> Tensor:
        """[C, h, w] uint8 -> [C, *size] uint8"""


class Seen(NamedTuple):
    """What a look at a picture as it is stored tells: the bits of a value, 0 where it is floating point; its brightest
    value; and whether a band of it was taken for transparency.
    """

    bits: int
    brightest: float
    see_through: bool


def decode(source: bytes | Path, frame: Frame, cut: Cut | None = None) -> Tensor:
    """A picture's pixels in `frame`, or a `cut` of the whole of it: [C, H, W] uint8.

    Raises Unreadable, whatever is wrong with it.
    """
    try:
        with _open(source) as picture:
            return _pixels(picture, frame, cut)
    except UnidentifiedImageError:
        values = _scaled_bands(_bands_of_tiff(source), frame)
        if cut is None:
            return _fitted(values, frame)
        whole = values.shape[0], values.shape[1]
        return _cut_out(values, whole, Box(*cut.box(*whole)), cut)
    except Exception as error:  # Pillow's decoders raise whatever they come across
        raise _unreadable(error) from None


def look(source: bytes, frame: Frame) -> tuple[Tensor, Seen]:
    """The same, and what there is to know of the picture."""
    try:
        with _open(source) as picture:
            pixels = _pixels(picture, frame)  # which loads it
            return pixels, Seen(*_levels(picture), frame.in_chans in (1, 3) and picture.has_transparency_data)
    except UnidentifiedImageError:
        values = _bands_of_tiff(source)
        bits = 8 * values.dtype.itemsize if values.dtype.kind == "u" else 0
        return _fitted(_scaled_bands(values, frame), frame), Seen(bits, float(values.max()), False)
    except Exception as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> Unreadable:
    return error if isinstance(error, Unreadable) else Unreadable(f"{error or type(error).__name__}")


def _open(source: bytes | Path) -> Image.Image:
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_formats())


def _pixels(picture: Image.Image, frame: Frame, cut: Cut | None = None) -> Tensor:
    width, height = picture.size
    if width * height > frame.max_pixels:
        raise Unreadable(f"it has {width} × {height} pixels; data.max_pixels={frame.max_pixels} is the limit")
    if cut is None:
        side = 2 * max(frame.img_size)  # a JPEG is decoded at the scale of 1/2, 1/4 or 1/8 that is still twice ours
        return _fitted(_values(picture, frame, (side, side)), frame)
    whole = _upright_size(picture, frame)
    box = Box(*cut.box(*whole))
    return _cut_out(_values(picture, frame, _enough(picture, box, cut.size)), whole, box, cut)


def _values(picture: Image.Image, frame: Frame, least: tuple[int, int]) -> np.ndarray:
    """A picture [h, w, C]; a JPEG's width and height may be scaled down, but not below `least`."""
    if frame.in_chans in (1, 3):
        picture.draft("L" if frame.in_chans == 1 else None, least)
        values = np.asarray(_plain(picture, "L" if frame.in_chans == 1 else "RGB", frame.white))
    else:
        values = _scaled_bands(np.asarray(picture), frame)
    return values.reshape(*values.shape[:2], frame.in_chans)


def _levels(picture: Image.Image) -> tuple[int, float]:
    """Bits of a value, and the brightest one."""
    if picture.mode == "1":
        return 1, 1.0
    if picture.mode in ("P", "PA"):  # values are places in a palette
        return 8, 255.0
    extrema = picture.getextrema()
    bands = list(extrema) if isinstance(extrema[0], tuple) else [extrema]
    seen = bands[:-1] if picture.mode.endswith("A") else bands
    brightest = max(float(most) for _, most in seen)
    return {"I": 32, "F": 0}.get(picture.mode, 16 if picture.mode.startswith("I;16") else 8), brightest


@cache
def _formats() -> tuple[str, ...]:
    """Those of our formats that this Pillow was built with."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


# ------------------------------------------------------------------------------------------------------- colours


def _plain(picture: Image.Image, mode: Literal["L", "RGB"], white: float | None) -> Image.Image:
    """The picture upright, in grey or RGB, 8 bits a channel."""
    inverted = picture.format == "JPEG" and picture.mode == "CMYK" and "adobe" not in picture.info
    ImageOps.exif_transpose(picture, in_place=True)
    if inverted:  # Pillow takes every CMYK JPEG for one of Adobe's, whose inks are stored upside down
        picture = ImageChops.invert(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture = _eight_bits(picture, white)
    if picture.mode == "LAB":
        picture = _lab_to_rgb().apply(picture)
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    return picture if picture.mode == mode else picture.convert(mode)


def _eight_bits(picture: Image.Image, white: float | None) -> Image.Image:
    """Grey values of 16 or 32 bits or floating point, scaled: Pillow's own conversion would cut them off at 255."""
    return Image.fromarray(_scaled(np.asarray(picture, dtype=np.float32), white, picture.mode == "F"))


def _scaled(values: np.ndarray, white: float | None, floating: bool) -> np.ndarray:
    """Values [...] -> [...] uint8. Black is zero and `white` is white.

    If that is not given, white is the first of 1, 255 (both for floating point only) and 65,535 that no value exceeds;
    values that fit none of them are stretched over their own range.
    """
    values = np.where(np.isfinite(values), values, 0)
    if white is not None:
        return np.rint(values.clip(0, white) * (255 / white)).astype(np.uint8)
    scales = (1, 255, 65_535) if floating else (65_535,)
    lowest, highest = float(values.min()), float(values.max())
    fitting = [scale for scale in scales if lowest >= 0 and highest <= scale]
    black, white = (0, fitting[0]) if fitting else (lowest, highest)
    return np.rint((values - black) * (255 / (white - black or 1))).astype(np.uint8)


@cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


# -------------------------------------------------------------------------------------------------------- bands


def _bands_of_tiff(source: bytes | Path) -> np.ndarray:
    """What Pillow does not know, a TIFF of other bands, or of more bits, than a picture for the eye has: [h, w, bands].

    Raises Unreadable.
    """
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(source) if isinstance(source, bytes) else source) as file:
            series = file.series[0]
            values, axes = series.asarray(), series.axes
    except OSError as error:
        raise _unreadable(error) from None
    except Exception:  # whatever a reader of TIFFs says of something else
        raise Unreadable("it is not a picture, or in a format that is not supported") from None
    if values.ndim == 3 and axes[-2:] == "YX":  # bands one after the other
        values = np.moveaxis(values, 0, -1)
    if values.ndim not in (2, 3):
        raise Unreadable(f"it is a TIFF with the axes {axes}; expected rows, columns and bands")
    return values.reshape(*values.shape[:2], -1)


def _scaled_bands(values: np.ndarray, frame: Frame) -> np.ndarray:
    """Bands as they are stored -> [h, w, C] uint8. Raises Unreadable for another number of them."""
    bands = values.shape[2] if values.ndim == 3 else 1
    if bands != frame.in_chans:
        raise Unreadable(f"it has {bands} bands, and data.in_chans={frame.in_chans}")
    if values.dtype == np.uint8 and frame.white is None:
        return values
    return _scaled(values.astype(np.float32), frame.white, values.dtype.kind == "f")


# ---------------------------------------------------------------------------------------------------------- cuts


def _upright_size(picture: Image.Image, frame: Frame) -> tuple[int, int]:
    """Rows and columns as a person sees them; bands are taken as they lie."""
    columns, rows = picture.size
    turned = frame.in_chans in (1, 3) and picture.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE
    return (columns, rows) if turned else (rows, columns)


def _enough(picture: Image.Image, box: Box, size: tuple[int, int]) -> tuple[int, int]:
    """The width and height of a picture whose box still has twice the rows and columns of `size`."""
    scale = max(min(box.height // (2 * size[0]), box.width // (2 * size[1])), 1)
    width, height = picture.size
    return width // scale, height // scale


def _cut_out(values: np.ndarray, whole: tuple[int, int], box: Box, cut: Cut) -> Tensor:
    """A box of a picture of the size `whole`, of which [h, w, C] was decoded -> [C, *cut.size]"""
    (top, bottom), (left, right) = (
        _scaled_down(start, length, got / had)
        for start, length, got, had in zip(box[:2], box[2:], values.shape, whole, strict=False)
    )
    return cut.resized(torch.from_numpy(values[top:bottom, left:right].copy()).permute(2, 0, 1))


def _scaled_down(start: int, length: int, scale: float) -> tuple[int, int]:
    """From where to where a stretch reaches in a picture that was scaled down: a pixel at least."""
    stop = math.ceil((start + length) * scale - 0.5)
    return min(math.floor(start * scale + 0.5), stop - 1), stop


# ---------------------------------------------------------------------------------------------------------- size


def _fitted(values: np.ndarray, frame: Frame) -> Tensor:
    """[h, w, C], which may not be written to -> a copy [C, H, W]"""
    (height, width), (rows, columns) = values.shape[:2], frame.img_size
    if (height, width) == (rows, columns):
        return torch.from_numpy(values.copy()).permute(2, 0, 1)
    match frame.fit:
        case "exact":
            raise Unreadable(f"its size is {width} × {height}, not {columns} × {rows}")
        case "squash":
            return _resized(values.copy(), rows, columns)
        case "crop":
            scale = max(rows / height, columns / width)
            return _resized(
                _centre(values, _whole(rows / scale, height), _whole(columns / scale, width)), rows, columns
            )
        case "pad":
            scale = min(rows / height, columns / width)
            inner = _resized(values.copy(), _whole(height * scale, rows), _whole(width * scale, columns))
            top, left = (rows - inner.shape[1]) // 2, (columns - inner.shape[2]) // 2
            padded = np.full(frame.shape, _PADDING, np.uint8)  # NumPy's: no worker is to wake torch's own threads
            padded[:, top : top + inner.shape[1], left : left + inner.shape[2]] = inner
            return torch.from_numpy(padded)


def _whole(length: float, most: int) -> int:
    return min(max(math.floor(length + 0.5), 1), most)


def _centre(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    top, left = (values.shape[0] - rows) // 2, (values.shape[1] - columns) // 2
    return values[top : top + rows, left : left + columns].copy()


def _resized(values: np.ndarray, rows: int, columns: int) -> Tensor:
    """[h, w, C] -> [C, rows, columns]"""
    pixels = torch.from_numpy(values).permute(2, 0, 1)[None]
    return interpolate(pixels, (rows, columns), mode="bicubic", antialias=True)[0]
