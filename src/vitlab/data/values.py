"""The values of a picture as it is stored, of whatever bits and bands, and how they are shown in 8 bits.

Which value is white never depends on the single picture: a set keeps its differences in brightness. It is `data.white`,
or else what the kind of number usually has: 255 of 8 bits, 65,535 of more, 1 of floating point. Black is zero; values
beyond either are cut off, and a look at the data says so.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from vitlab.base.errors import DataError
from vitlab.base.words import counted

EYE = {1: "L", 3: "RGB"}  # what a picture for the eye is brought to, by its number of channels


class Unreadable(DataError):
    """Bytes, or a file, of which no picture can be made; the message says why, and not which."""


class Values(NamedTuple):
    """Bands [h, w, n] of whole numbers or floating point, and whether the last one is transparency."""

    bands: np.ndarray
    see_through: bool = False

    @property
    def bits(self) -> int:
        """Of a value; 0 where it is floating point."""
        return 8 * self.bands.dtype.itemsize if self.bands.dtype.kind in "ui" else 0

    @property
    def usual_white(self) -> float:
        """What is white unless something else is said."""
        return {0: 1.0, 8: 255.0}.get(self.bits, 65_535.0)

    def range(self) -> tuple[float, float]:
        """The lowest and the highest value but for transparency; holes (NaN, ∞) count as zero."""
        colours = self.bands[..., :-1] if self.see_through else self.bands
        seen = colours if self.bits else _without_holes(colours)
        return float(seen.min()), float(seen.max())

    def inverted(self) -> "Values":
        """Of a picture whose white is stored as zero."""
        most = np.iinfo(self.bands.dtype).max if self.bits else 1
        return self._replace(bands=most - self.bands)


def shown(values: Values, in_chans: int, white: float | None) -> np.ndarray:
    """[h, w, C] uint8: for 1 and 3 channels grey and RGB, on white where it is transparent, else the bands as they are.

    Raises Unreadable for bands of another number.
    """
    bands = values.bands.shape[2]
    fitting = bands - values.see_through in EYE or bands == in_chans if in_chans in EYE else bands == in_chans
    if not fitting:
        raise Unreadable(f"it has {counted(bands, 'band')}, and data.in_chans={in_chans}")
    eight = _in_8_bits(values, white)
    if in_chans not in EYE or (bands == in_chans and not values.see_through):
        return eight
    picture = Image.fromarray(eight[..., 0] if bands == 1 else eight)
    if values.see_through:
        seen = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    return np.asarray(picture.convert(EYE[in_chans])).reshape(*eight.shape[:2], in_chans)


def _in_8_bits(values: Values, white: float | None) -> np.ndarray:
    """[h, w, n] uint8; transparency is always of the usual range."""
    if values.bands.dtype == np.uint8 and white in (None, values.usual_white):
        return values.bands
    whites = np.full(values.bands.shape[2], white or values.usual_white, np.float32)
    if values.see_through:
        whites[-1] = values.usual_white
    numbers = values.bands if values.bits else _without_holes(values.bands)
    return np.rint(numbers.astype(np.float32).clip(0, whites) * (255 / whites)).astype(np.uint8)


def _without_holes(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(numbers), numbers, 0)
