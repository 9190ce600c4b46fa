"""Where a token stands in the picture: the grid of patches, and what is folded onto it."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vitlab.base.errors import SpecError
from vitlab.models.vit import ViT


class Grid(NamedTuple):
    """Rows and columns of patches, in raster order, behind `prefix` tokens that stand nowhere; and the pixels, down and
    across, from each patch to the next.
    """

    rows: int
    columns: int
    prefix: int
    pitch: tuple[float, float]

    @property
    def num_tokens(self) -> int:
        """N"""
        return self.prefix + self.rows * self.columns

    def token(self, row: int, column: int) -> int:
        """The number, among all tokens, of the patch in a row and a column; -1 is the last. Raises SpecError."""
        if not (-self.rows <= row < self.rows and -self.columns <= column < self.columns):
            raise SpecError(f"({row}, {column}) is beyond {self.rows} × {self.columns} patches")
        return self.prefix + row % self.rows * self.columns + column % self.columns

    def fold(self, values: Tensor) -> Tensor:
        """One value a token [..., N], or a patch [..., L], -> [..., rows, columns]; prefix tokens are left out."""
        patches = self.rows * self.columns
        if values.shape[-1] not in (patches, self.num_tokens):
            raise SpecError(f"{values.shape[-1]} values are of neither {self.num_tokens} tokens nor {patches} patches")
        return values[..., values.shape[-1] - patches :].unflatten(-1, (self.rows, self.columns))

    def distances(self) -> Tensor:
        """[L, L]: pixels between the middles of every two patches."""
        down = torch.arange(self.rows).repeat_interleave(self.columns) * self.pitch[0]
        across = torch.arange(self.columns).repeat(self.rows) * self.pitch[1]
        places = torch.stack([down, across], dim=1).double()
        return torch.cdist(places, places)


def grid_of(model: ViT) -> Grid:
    """A model's grid. Patches that overlap, or that a network has made, are as far apart as the picture has room."""
    rows, columns = model.spec.dims().grid
    height, width = model.spec.img_size
    return Grid(rows, columns, model.num_prefix_tokens, (height / rows, width / columns))


def over_picture(folded: Tensor, size: tuple[int, int], smooth: bool = False) -> Tensor:
    """[..., rows, columns] -> [..., height, width], each patch a rectangle of its value, or with smooth edges."""
    flat = folded.reshape(1, -1, *folded.shape[-2:])
    how = {"mode": "bilinear", "align_corners": False} if smooth else {"mode": "nearest-exact"}
    return interpolate(flat, size=size, **how).reshape(*folded.shape[:-2], *size)
