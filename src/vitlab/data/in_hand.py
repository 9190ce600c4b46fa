"""Pictures that somebody has in hand: files, Pillow's pictures, and NumPy's arrays; each becomes what `decode` takes.

A picture that is not a file becomes the bytes of one without loss, so that it goes the very way that a file goes.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vitlab.base.errors import DataError

Picture = str | Path | Image.Image | np.ndarray
_PNG_HAS = ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16")  # Pillow's modes; TIFF has the others


def source_of(picture: Picture) -> bytes | Path:
    """The bytes of a picture's file, or the path of it. Raises DataError for what is no picture."""
    if isinstance(picture, str | Path):
        return Path(picture)
    if isinstance(picture, np.ndarray):
        return _written(_of_array(picture))
    if isinstance(picture, Image.Image):
        return _written(picture)
    raise DataError(f"a picture is a path, a picture of Pillow's or a NumPy array, and not a {type(picture).__name__}")


def name_of(picture: Picture, number: int) -> str:
    """What messages call it: a file's path, or its number among those that were given."""
    return str(picture) if isinstance(picture, str | Path) else f"picture {number}"


def _of_array(values: np.ndarray) -> Image.Image:
    """[H, W] or [H, W, 3] of 8 bits, [H, W] of 16. Raises DataError, saying what would be right."""
    channels_last = values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (1, 3, 4))
    if (
        not values.size
        or not channels_last
        or values.dtype not in (np.uint8, np.uint16)
        or (values.ndim == 3 and values.itemsize > 1)
    ):
        raise DataError(
            f"an array of {values.dtype} of shape {list(values.shape)} is no picture: expected 8-bit values, "
            "[rows, columns] or [rows, columns, channels]"
        )
    return Image.fromarray(values[..., 0] if values.shape[2:] == (1,) else values)


def _written(picture: Image.Image) -> bytes:
    kept: dict[str, Any] = {"exif": picture.getexif()} if picture.getexif() else {}
    file = io.BytesIO()
    picture.save(file, "PNG" if picture.mode in _PNG_HAS else "TIFF", **kept)
    return file.getvalue()
