"""Eight drawings, 32 × 32 pixels, of things that CIFAR-10 has classes of: its own images may not be passed on here.

python docs/examples/drawings.py FOLDER
vitlab inspect runs/cifar10_short/seed-0 --images FOLDER --out inside
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIDE, FINER = 32, 8  # pixels; drawn as much larger, and reduced: so edges are as soft as a camera's
Point = tuple[float, float]


class Drawing:
    """A scene: a sky above, a ground below, and shapes in units of the final pixels."""

    def __init__(self, sky: str, ground: str, horizon: float):
        self.image = Image.new("RGB", (SIDE * FINER, SIDE * FINER), sky)
        self.draw = ImageDraw.Draw(self.image)
        self.box((0, horizon), (SIDE, SIDE), ground)

    def box(self, start: Point, end: Point, colour: str) -> None:
        self.draw.rectangle([FINER * value for value in (*start, *end)], fill=colour)

    def disc(self, start: Point, end: Point, colour: str) -> None:
        self.draw.ellipse([FINER * value for value in (*start, *end)], fill=colour)

    def shape(self, colour: str, *points: Point) -> None:
        self.draw.polygon([(FINER * x, FINER * y) for x, y in points], fill=colour)

    def done(self) -> Image.Image:
        soft = self.image.filter(ImageFilter.GaussianBlur(FINER / 2))
        return soft.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def ship() -> Drawing:
    """A ship on the sea."""
    drawing = Drawing("#a9cbe6", "#2d5f8f", 20)
    drawing.shape("#7a1f1f", (4, 18), (29, 18), (25, 24), (8, 24))
    drawing.box((9, 12), (23, 18), "#f2f2ee")
    drawing.box((14, 6), (18, 12), "#d8d8d2")
    return drawing


def airplane() -> Drawing:
    """An airplane in the sky."""
    drawing = Drawing("#7fb2e5", "#7fb2e5", SIDE)
    drawing.shape("#eceff2", (3, 15), (24, 13), (30, 16), (24, 18), (3, 17))
    drawing.shape("#c3cad1", (13, 15), (20, 15), (11, 26), (8, 26))
    drawing.shape("#c3cad1", (14, 14), (20, 14), (16, 6), (13, 6))
    drawing.shape("#b04a3a", (3, 15), (7, 15), (4, 8), (2, 8))
    return drawing


def truck() -> Drawing:
    """A truck on a road."""
    drawing = Drawing("#cfd8dc", "#6e6a63", 24)
    drawing.box((3, 7), (21, 22), "#f4f4f0")
    drawing.box((21, 12), (29, 22), "#c0392b")
    drawing.box((23, 13), (28, 17), "#24323d")
    for left in (5, 12, 22):
        drawing.disc((left, 20), (left + 6, 26), "#1b1b1b")
    return drawing


def automobile() -> Drawing:
    """A car on a road."""
    drawing = Drawing("#b9c4c9", "#55534e", 22)
    drawing.shape("#b3161b", (2, 18), (8, 17), (12, 11), (22, 11), (26, 17), (30, 18), (30, 23), (2, 23))
    drawing.shape("#1f2a33", (10, 17), (13, 12), (21, 12), (24, 17))
    for left in (5, 21):
        drawing.disc((left, 20), (left + 6, 26), "#161616")
    return drawing


def frog() -> Drawing:
    """A frog on the ground."""
    drawing = Drawing("#6b5a3a", "#4c3f29", 22)
    drawing.disc((6, 12), (27, 27), "#5d8f2e")
    drawing.disc((9, 17), (24, 27), "#b7c66a")
    for left in (9, 19):
        drawing.disc((left, 8), (left + 6, 14), "#6ea238")
        drawing.disc((left + 2, 10), (left + 4, 12), "#141414")
    return drawing


def horse() -> Drawing:
    """A horse on a meadow."""
    drawing = Drawing("#9cc3e0", "#5e8a3c", 20)
    drawing.disc((7, 11), (23, 20), "#6b3d1e")
    drawing.shape("#6b3d1e", (20, 13), (25, 4), (30, 8), (28, 11), (25, 10), (23, 16))
    for left in (9, 12, 18, 21):
        drawing.box((left, 17), (left + 2, 27), "#5a3117")
    drawing.shape("#2b170a", (7, 12), (3, 18), (5, 20), (9, 14))
    return drawing


def deer() -> Drawing:
    """A deer before trees."""
    drawing = Drawing("#5f7d46", "#7c8c4d", 18)
    drawing.disc((9, 13), (24, 20), "#a8763e")
    drawing.shape("#a8763e", (20, 15), (23, 8), (28, 9), (27, 12), (24, 12), (24, 17))
    for left in (10, 13, 19, 22):
        drawing.box((left, 18), (left + 1.4, 27), "#8a5d2e")
    for tip in (20, 28):
        drawing.shape("#4d3a22", (24, 8), (tip, 2), (tip + 1, 2), (25, 8))
    return drawing


def bird() -> Drawing:
    """A bird above a meadow."""
    drawing = Drawing("#c8dbe8", "#8fae6b", 25)
    drawing.disc((9, 12), (22, 22), "#3b62a8")
    drawing.disc((18, 7), (26, 15), "#3b62a8")
    drawing.shape("#e0a02e", (25, 10), (30, 12), (25, 13))
    drawing.disc((22, 9.5), (23.5, 11), "#101010")
    drawing.shape("#2a477c", (10, 15), (2, 22), (5, 24), (13, 20))
    return drawing


DRAWINGS = (airplane, automobile, bird, deer, frog, horse, ship, truck)


def main(folder: Path) -> None:
    """Write them, each under the name of its class."""
    folder.mkdir(parents=True, exist_ok=True)
    for draw in DRAWINGS:
        draw().done().save(folder / f"{draw.__name__}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
