"""Families of published models: what their members share beside their sizes, and how their pictures were prepared."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Settings = dict[str, Any]
Shape = tuple[int, int, int, float]  # embed_dim, depth, num_heads, mlp_ratio

# arXiv 2010.11929 (table 1), 2012.12877 (tiny, small), 2106.04560 (giant, gigantic: table 2), 2305.13035 (so400m);
# the others are timm's own
SHAPES: dict[str, Shape] = {
    "tiny": (192, 12, 3, 4.0),
    "wee": (256, 14, 4, 5.0),
    "pwee": (256, 16, 4, 5.0),
    "xsmall": (256, 10, 4, 4.0),
    "little": (320, 14, 5, 5.6),
    "small": (384, 12, 6, 4.0),
    "medium": (512, 12, 8, 4.0),
    "mediumd": (512, 20, 8, 4.0),
    "betwixt": (640, 12, 10, 4.0),
    "base": (768, 12, 12, 4.0),
    "so150m": (896, 18, 14, 2.572),
    "so150m2": (832, 21, 13, 34 / 13),
    "large": (1024, 24, 16, 4.0),
    "so400m": (1152, 27, 16, 4304 / 1152),
    "huge": (1280, 32, 16, 4.0),
    "giant": (1408, 40, 16, 48 / 11),
    "giantopt": (1536, 40, 16, 4.0),
    "gigantic": (1664, 48, 16, 64 / 13),
}
_STATISTICS = {  # mean and standard deviation of each channel
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "as they are": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
_LARGE_PICTURES = 300  # pixels a side, from which nothing is cut off


class Prepared(NamedTuple):
    """How the pictures of a published model were prepared: normalised, and the share of a side that is not cut off."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: float


class Family(NamedTuple):
    """`names`: with `{size}`, `{patch}` and `{pixels}`; `members`: `base/16@224,384` and so on, with the shapes of
    `SHAPES` unless `shapes` says otherwise.
    """

    names: str
    members: str
    settings: Settings
    statistics: str = "half"
    crop: float = 0.9  # of pictures below 300 pixels a side
    shapes: dict[str, Shape] = {}

    def presets(self) -> Iterator[tuple[str, Settings]]:
        """Every member's name and settings."""
        for member in self.members.split():
            size, _, rest = member.partition("/")
            patch, _, all_pixels = rest.partition("@")
            for pixels in all_pixels.split(","):
                name = self.names.format(size=size, patch=patch, pixels=pixels)
                shape = self.shapes.get(size) or SHAPES[size]
                yield name, sized(shape, int(patch), int(pixels)) | self.settings

    def prepared(self, pixels: int) -> Prepared:
        """How the pictures of a member of so many pixels were prepared."""
        return Prepared(*_STATISTICS[self.statistics], 1.0 if pixels >= _LARGE_PICTURES else self.crop)


def sized(shape: Shape, patch: int, pixels: int) -> Settings:
    """The settings that are numbers, of a square picture and square patches."""
    width, depth, heads, ratio = shape
    whole = pixels // patch * patch  # timm's 384 pixels in patches of 14: the last six rows and columns are in none
    return {
        "img_size": [whole, whole],
        "patch_size": [patch, patch],
        "embed_dim": width,
        "depth": depth,
        "num_heads": heads,
        "mlp_ratio": ratio,
    }
