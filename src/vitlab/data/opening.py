"""A picture's file, opened: by Pillow, or by tifffile where it is a TIFF of which Pillow would leave something out.

For a picture of the eye, with 1 channel or 3, values are upright and in grey or RGB, with transparency as a last band;
for another number of channels the bands are read as they lie, and only a palette or inks are turned into colours.
"""

import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from vitlab.data.values import EYE, Unreadable, Values

if TYPE_CHECKING:
    from tifffile import TiffPage

Image.MAX_IMAGE_PIXELS = None  # the limit is a setting here, and says so
# Text and colour profiles are passed over: only as a protection of the memory may they cost a picture
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 1 << 28
# Of a damaged EXIF block or a very large picture that can be decoded all the same
warnings.filterwarnings("ignore", module=r"PIL\.")
for _library in ("PIL", "tifffile"):  # what they tell of one picture of thousands, we tell of all
    logging.getLogger(_library).setLevel(logging.CRITICAL)

# Nothing that starts another program or is no picture of pixels: Pillow hands PostScript to Ghostscript
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO")
_ON_ITS_SIDE = (5, 6, 7, 8)  # EXIF's orientations in which rows and columns change places
_UPSIDE_DOWN, _MIRRORED = (3, 4, 7, 8), (2, 3, 6, 7)  # and those that are then turned in a direction
# Tags of TIFF, and what they say
_BITS, _MEANING, _ORIENTATION, _SAMPLES = 258, 262, 274, 277
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_PREMULTIPLIED, _TRANSPARENCY = 1, 2  # of a further sample
_OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}  # of two bytes


class Opened(Protocol):
    """A picture that was not decoded yet."""

    @property
    def stored_size(self) -> tuple[int, int]:
        """Rows and columns, as they lie in the file; nothing is decoded for it."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, as they will be read."""

    def read(self, least: tuple[int, int]) -> Values:
        """Its values; a JPEG's rows and columns may be scaled down, but not below `least`."""


@contextmanager
def opened(source: bytes | Path, in_chans: int) -> Iterator[Opened]:
    """Open the bytes of a file, or the file, for so many channels. Raises whatever Pillow does, or Unreadable."""
    try:
        picture = Image.open(_file(source), formats=_formats())
    except UnidentifiedImageError:
        with _tiff(source, in_chans, None) as bands:
            yield bands
        return
    with picture:
        by_pillow = _ByPillow(source, picture, in_chans, _raw_mode(picture))
        if not (isinstance(picture, TiffImageFile) and _holds_more(picture)):
            yield by_pillow
            return
        complete = picture.tag_v2.get(_SAMPLES, 1) == len(picture.getbands())
        with _tiff(source, in_chans, by_pillow if complete else None) as bands:
            yield bands


def _file(source: bytes | Path) -> io.BytesIO | Path:
    return io.BytesIO(source) if isinstance(source, bytes) else source


@cache
def _formats() -> tuple[str, ...]:
    """Those of our formats that this Pillow was built with."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


# -------------------------------------------------------------------------------------------------------- Pillow


@dataclass(frozen=True)
class _ByPillow:
    source: bytes | Path
    picture: Image.Image
    in_chans: int
    raw: str  # its raw mode, which Pillow forgets once it has decoded

    @property
    def stored_size(self) -> tuple[int, int]:
        return self.picture.height, self.picture.width

    @property
    def size(self) -> tuple[int, int]:
        return self.stored_size[::-1] if self._on_its_side else self.stored_size

    @property
    def _on_its_side(self) -> bool:
        return self.in_chans in EYE and self.picture.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE

    def read(self, least: tuple[int, int]) -> Values:
        if self.in_chans in EYE:
            stored = least if self._on_its_side else least[::-1]  # width and height
            self.picture.draft("L" if self.in_chans == 1 else None, stored)
        values = self._loaded(self.picture)
        if ";16" not in self.raw or values.bits != 8:
            return values
        upper = values.bands.astype(np.uint16)
        return values._replace(bands=upper * 256 + self._lower_bytes(upper))

    def _lower_bytes(self, upper: np.ndarray) -> np.ndarray:
        """Of values of 16 bits Pillow keeps the upper byte, and the lower one if they are said to be of the other
        order. It does not know grey with transparency in that order: there the upper byte has to do for both.
        """
        if not self.raw.startswith("RGB"):
            return upper
        with Image.open(_file(self.source), formats=_formats()) as picture:
            _set_raw_mode(picture, self.raw[:-1] + _OTHER_ORDER[self.raw[-1]])
            return self._loaded(picture).bands

    def _loaded(self, picture: Image.Image) -> Values:
        white_is_zero = isinstance(picture, TiffImageFile) and picture.tag_v2.get(_MEANING) == _WHITE_IS_ZERO
        if self.in_chans in EYE:
            picture = _upright(picture)
        if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
            values = Values(_deep(picture)[..., None])
            return values.inverted() if white_is_zero else values  # up to 8 bits Pillow does it
        plain = _plain(picture)
        bands = np.asarray(plain)
        return Values(bands.reshape(*bands.shape[:2], -1), plain.mode in ("LA", "RGBA"))


def _raw_mode(picture: Image.Image) -> str:
    """How Pillow will unpack the values: `RGB;16B` are three of two bytes each, the upper one first."""
    tiles = getattr(picture, "tile", None)
    args = tiles[0][3] if tiles else ""
    return str(args if isinstance(args, str) else next(iter(args or ()), ""))


def _set_raw_mode(picture: Image.Image, raw: str) -> None:
    tiles = picture.tile  # type: ignore[attr-defined]  # of every picture that was opened
    args = [tile[3] for tile in tiles]
    changed = [raw if isinstance(old, str) else (raw, *old[1:]) for old in args]
    picture.tile = [(*tile[:3], new) for tile, new in zip(tiles, changed, strict=True)]  # type: ignore[attr-defined]


def _upright(picture: Image.Image) -> Image.Image:
    inverted = picture.format == "JPEG" and picture.mode == "CMYK" and "adobe" not in picture.info
    ImageOps.exif_transpose(picture, in_place=True)
    # Pillow takes every CMYK JPEG for one of Adobe's, whose inks are stored upside down
    return ImageChops.invert(picture) if inverted else picture


def _deep(picture: Image.Image) -> np.ndarray:
    """[h, w] of more than 8 bits; Pillow has 32 for the 16 of a PGM, and of a PNG before version 12."""
    values = np.asarray(picture)
    return values.astype(np.uint16) if picture.mode == "I" and picture.format in ("PPM", "PNG") else values


def _plain(picture: Image.Image) -> Image.Image:
    """In 8 bits a band: grey or RGB, or these with transparency."""
    if picture.mode == "LAB":
        picture = _lab_to_rgb().apply(picture)
    if picture.has_transparency_data:
        return picture if picture.mode in ("LA", "RGBA") else picture.convert("RGBA")
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


@cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


# ------------------------------------------------------------------------------------------------------ tifffile


def _holds_more(picture: TiffImageFile) -> bool:
    """Whether a TIFF has bands that Pillow leaves out, or values that it cuts: of several bands all above 8 bits, of
    one those of its mode `I`, which are signed.
    """
    tags, bands = picture.tag_v2, len(picture.getbands())
    if tags.get(_MEANING, _BLACK_IS_ZERO) not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        return False
    deep = bands > 1 and max(tags.get(_BITS, (1,))) > 8
    return deep or picture.mode == "I" or tags.get(_SAMPLES, 1) != bands


@contextmanager
def _tiff(source: bytes | Path, in_chans: int, otherwise: Opened | None) -> Iterator[Opened]:
    import tifffile

    try:
        file = tifffile.TiffFile(_file(source))
    except OSError:
        raise
    except Exception:  # whatever a reader of TIFFs says of something else
        raise Unreadable("it is not a picture, or in a format that is not supported") from None
    with file:
        yield _ByTifffile(file.pages.first, in_chans, otherwise)


@dataclass(frozen=True)
class _ByTifffile:
    """The first picture of a TIFF; `otherwise` is who reads it where its compression is not known here."""

    page: "TiffPage"
    in_chans: int
    otherwise: Opened | None

    @property
    def stored_size(self) -> tuple[int, int]:
        return self.page.imagelength, self.page.imagewidth

    @property
    def size(self) -> tuple[int, int]:
        return self.stored_size[::-1] if self._orientation in _ON_ITS_SIDE else self.stored_size

    @property
    def _orientation(self) -> int:
        return int(self.page.tags.valueof(_ORIENTATION, 1)) if self.in_chans in EYE else 1

    def read(self, least: tuple[int, int]) -> Values:
        try:
            bands, axes = self.page.asarray(), self.page.axes
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            if self.otherwise is not None:
                return self.otherwise.read(least)
            raise Unreadable("its compression needs the package imagecodecs: install it, or store it without") from None
        if axes not in ("YX", "YXS", "SYX") or bands.dtype.kind not in "buif":
            raise Unreadable(f"it is a TIFF of {bands.dtype} with the axes {axes}; expected rows, columns and bands")
        if bands.dtype.kind == "b":
            bands = bands.astype(np.uint8) * 255
        bands = np.moveaxis(bands, 0, -1) if axes == "SYX" else bands.reshape(*bands.shape[:2], -1)
        values = self._meant(Values(np.ascontiguousarray(bands)))
        return values._replace(bands=_turned(values.bands, self._orientation))

    def _meant(self, values: Values) -> Values:
        """With white as the highest value, and transparency known."""
        if self.page.photometric == _WHITE_IS_ZERO:
            values = values.inverted()
        further = tuple(self.page.extrasamples)
        if self.in_chans not in EYE or further not in ((_PREMULTIPLIED,), (_TRANSPARENCY,)):
            return values
        values = values._replace(see_through=True)
        return values if further == (_TRANSPARENCY,) else _straight(values)


def _straight(values: Values) -> Values:
    """Colours that were multiplied with their transparency, as they are without."""
    colours, opaque = np.split(values.bands.astype(np.float64), [-1], axis=2)
    restored = (colours * values.usual_white / np.maximum(opaque, 1e-9)).clip(0, values.usual_white)
    return values._replace(bands=np.concatenate([restored, opaque], axis=2).astype(values.bands.dtype))


def _turned(bands: np.ndarray, orientation: int) -> np.ndarray:
    """[h, w, n] -> [h, w, n] or [w, h, n], upright."""
    if orientation in _ON_ITS_SIDE:
        bands = bands.swapaxes(0, 1)
    return np.ascontiguousarray(
        bands[:: -1 if orientation in _UPSIDE_DOWN else 1, :: -1 if orientation in _MIRRORED else 1]
    )
