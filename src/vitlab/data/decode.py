"""A picture as a person sees it: from the bytes of a file to pixels of one size.

Upright, in 8 bits, on white where it is transparent, the first of several frames. Everything that is seen by a model,
in training and in prediction, comes through `decode`.

Pillow decodes; torch resizes, antialiased: on 8-bit pixels it is several times faster, and both let other threads work
meanwhile.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vitlab.base.files import is_no_file
from vitlab.data.opening import Opened, opened
from vitlab.data.values import EYE, Values, shown
from vitlab.data.values import Unreadable as Unreadable

Fit = Literal["crop", "squash", "pad"]
Interpolation = Literal["bicubic", "bilinear"]
T = TypeVar("T")

MAX_PIXELS = 1 << 26  # 8,192 × 8,192: each thread that decodes may hold so many

SUFFIXES = {
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".avif"),
}
_PADDING = 128  # mid-grey, near zero once it is normalised


def looks_like_a_picture(name: str) -> bool:
    """By the name of a file, and whether it is hidden: macOS leaves `._cat.jpg`, which is none, beside `cat.jpg`."""
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")


@dataclass(frozen=True)
class Frame:
    """What pictures are brought to: rows and columns, 1 channel (grey) or 3 (RGB), and how they are made to fit.

    `crop` resizes the shorter side, then cuts off what is over at both ends of the longer; `squash` changes the
    proportions; `pad` keeps everything, between grey bars; `exact` resizes nothing and refuses another size.
    `interpolation` is how pixels between pixels are found.

    `white` is the value that is white, None: the usual one (`vitlab.data.values`). Another number of channels than 1
    and 3 takes a picture's bands as they are. A picture of more than `max_pixels` is unreadable.
    """

    img_size: tuple[int, int]
    in_chans: int = 3
    fit: Fit | Literal["exact"] = "crop"
    white: float | None = None
    max_pixels: int = MAX_PIXELS
    interpolation: Interpolation = "bicubic"

    @property
    def largest_file(self) -> int:
        """Bytes that no picture of so many pixels has, even as floating point in four bands."""
        return 16 * self.max_pixels + (1 << 20)

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
    """What a look at a picture as it is stored tells: the bits of a value, 0 where it is floating point; its lowest and
    its brightest value, and the one that is white; and whether a band of it was taken for transparency.
    """

    bits: int
    lowest: float
    brightest: float
    white: float
    see_through: bool


def decode(source: bytes | Path, frame: Frame, cut: Cut | None = None) -> Tensor:
    """A picture's pixels in `frame`, or a `cut` of the whole of it: [C, H, W] uint8.

    Raises Unreadable, whatever is wrong with it.
    """
    return _made(source, frame, lambda picture: _cut_pixels(picture, frame, cut) if cut else _pixels(picture, frame)[0])


def look(source: bytes, frame: Frame) -> tuple[Tensor, Seen]:
    """The same, and what there is to know of the picture."""

    def looked_at(picture: Opened) -> tuple[Tensor, Seen]:
        pixels, values = _pixels(picture, frame)
        white = frame.white or values.usual_white
        return pixels, Seen(values.bits, *values.range(), white, values.see_through and frame.in_chans in EYE)

    return _made(source, frame, looked_at)


def _made(source: bytes | Path, frame: Frame, make: Callable[[Opened], T]) -> T:
    """What is made of a picture. Raises Unreadable."""
    if isinstance(source, Path) and is_no_file(source):
        raise Unreadable("not a file")
    try:
        with opened(source, frame.in_chans) as picture:
            rows, columns = picture.stored_size
            if rows * columns > frame.max_pixels:
                limit = f"data.max_pixels={frame.max_pixels} is the limit"
                raise Unreadable(f"it has {columns} × {rows} pixels; {limit}")
            return make(picture)
    except Unreadable:
        raise
    except Exception as error:  # decoders raise whatever they come across
        raise Unreadable(f"{error or type(error).__name__}") from None


def _pixels(picture: Opened, frame: Frame) -> tuple[Tensor, Values]:
    side = 2 * max(frame.img_size)  # a JPEG is decoded at the scale of 1/2, 1/4 or 1/8 that is still twice ours
    values = picture.read((side, side))
    return _fitted(shown(values, frame.in_chans, frame.white), frame), values


def _cut_pixels(picture: Opened, frame: Frame, cut: Cut) -> Tensor:
    whole = picture.size
    box = Box(*cut.box(*whole))
    values = picture.read(_enough(whole, box, cut.size))
    return _cut_out(shown(values, frame.in_chans, frame.white), whole, box, cut)


# ---------------------------------------------------------------------------------------------------------- cuts


def _enough(whole: tuple[int, int], box: Box, size: tuple[int, int]) -> tuple[int, int]:
    """The rows and columns of a picture whose box still has twice those of `size`."""
    scale = max(min(box.height // (2 * size[0]), box.width // (2 * size[1])), 1)
    return whole[0] // scale, whole[1] // scale


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
            return _resized(values.copy(), rows, columns, frame)
        case "crop":
            scale = max(rows / height, columns / width)
            middle = _centre(values, _whole(rows / scale, height), _whole(columns / scale, width))
            return _resized(middle, rows, columns, frame)
        case "pad":
            scale = min(rows / height, columns / width)
            inner = _resized(values.copy(), _whole(height * scale, rows), _whole(width * scale, columns), frame)
            top, left = (rows - inner.shape[1]) // 2, (columns - inner.shape[2]) // 2
            padded = np.full(frame.shape, _PADDING, np.uint8)  # NumPy's: no worker is to wake torch's own threads
            padded[:, top : top + inner.shape[1], left : left + inner.shape[2]] = inner
            return torch.from_numpy(padded)


def _whole(length: float, most: int) -> int:
    return min(max(math.floor(length + 0.5), 1), most)


def _centre(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    top, left = (values.shape[0] - rows) // 2, (values.shape[1] - columns) // 2
    return values[top : top + rows, left : left + columns].copy()


def _resized(values: np.ndarray, rows: int, columns: int, frame: Frame) -> Tensor:
    """[h, w, C] -> [C, rows, columns]"""
    pixels = torch.from_numpy(values).permute(2, 0, 1)[None]
    return interpolate(pixels, (rows, columns), mode=frame.interpolation, antialias=True)[0]
