"""Pictures in a page: PNG files, and the same as data addresses."""

import base64
from io import BytesIO

import numpy as np
from PIL import Image


def image_of(pixels: np.ndarray) -> Image.Image:
    """[H, W, C] uint8, C 1 or 3 -> a picture."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def png(picture: Image.Image) -> bytes:
    """A PNG file."""
    written = BytesIO()
    picture.save(written, format="png", optimize=True)
    return written.getvalue()


def address(file: bytes) -> str:
    """A PNG file as an address that a page can show without any other file."""
    return "data:image/png;base64," + base64.b64encode(file).decode()
