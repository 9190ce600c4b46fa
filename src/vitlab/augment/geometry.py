"""Geometry: affine maps with a parameter for each sample, and images read along them.

A map is a matrix [2, 3]. It leads from a place of the new image to the place of the old one that is seen there; both
are (x, y) in pixels from the image's centre, x to the right and y down. `amount`, `pixels` and `degrees` are [B].
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

Reading = Literal["nearest", "bilinear"]


def shear_x(amount: Tensor, rows: int) -> Tensor:
    """[B] -> [B, 2, 3]: each row is shifted to the left by `amount` times its distance from the top edge."""
    zero, one = torch.zeros_like(amount), torch.ones_like(amount)
    return torch.stack([one, amount, amount * rows / 2, zero, one, zero], dim=1).view(-1, 2, 3)


def shear_y(amount: Tensor, columns: int) -> Tensor:
    """[B] -> [B, 2, 3]: each column is shifted upwards by `amount` times its distance from the left edge."""
    zero, one = torch.zeros_like(amount), torch.ones_like(amount)
    return torch.stack([one, zero, zero, amount, one, amount * columns / 2], dim=1).view(-1, 2, 3)


def translate_x(pixels: Tensor) -> Tensor:
    """[B] -> [B, 2, 3]: to the right."""
    zero, one = torch.zeros_like(pixels), torch.ones_like(pixels)
    return torch.stack([one, zero, -pixels, zero, one, zero], dim=1).view(-1, 2, 3)


def translate_y(pixels: Tensor) -> Tensor:
    """[B] -> [B, 2, 3]: downwards."""
    zero, one = torch.zeros_like(pixels), torch.ones_like(pixels)
    return torch.stack([one, zero, zero, zero, one, -pixels], dim=1).view(-1, 2, 3)


def rotate(degrees: Tensor) -> Tensor:
    """[B] -> [B, 2, 3]: anticlockwise about the centre."""
    zero, sine, cosine = torch.zeros_like(degrees), degrees.deg2rad().sin(), degrees.deg2rad().cos()
    return torch.stack([cosine, -sine, zero, sine, cosine, zero], dim=1).view(-1, 2, 3)


def warp(images: Tensor, maps: Tensor, interpolation: Reading = "nearest", fill: int = 0) -> Tensor:
    """Read each image along its map. [B, C, H, W] uint8, [B, 2, 3] -> [B, C, H, W] uint8

    Beyond its edges an image is of the grey level `fill`, with which `bilinear` mixes what lies on an edge.
    """
    rows, columns = images.shape[-2:]
    x = torch.arange(columns, device=images.device) - (columns - 1) / 2
    y = torch.arange(rows, device=images.device)[:, None] - (rows - 1) / 2
    grid = maps.new_empty(len(images), rows, columns, 2)
    for axis, side in enumerate((columns, rows)):
        in_half_sides = maps[:, axis] / (side / 2)  # the unit of grid_sample
        by_x, by_y, offset = in_half_sides[..., None, None].unbind(1)
        grid[..., axis] = by_x * x + (by_y * y + offset)
    above = images.float().sub_(fill)  # grid_sample has zeros beyond the edges
    seen = grid_sample(above, grid, mode=interpolation, padding_mode="zeros", align_corners=False)
    return seen.add_(fill).round_().to(torch.uint8)


def cutout(images: Tensor, centre: Tensor, reach: Tensor, fill: int = 0) -> Tensor:
    """Overwrite a square of each image with a grey level (arXiv 1708.04552); it may stick out.

    [B, C, H, W] uint8, centre [B, 2] in whole pixels (row, column), reach [B]: half the square's side, a whole number
    """
    rows, columns = images.shape[-2:]
    y = torch.arange(rows, device=images.device) - centre[:, :1]  # [B, H]
    x = torch.arange(columns, device=images.device) - centre[:, 1:]  # [B, W]
    reach = reach[:, None]
    inside = ((y >= -reach) & (y < reach))[:, None, :, None] & ((x >= -reach) & (x < reach))[:, None, None, :]
    return images.masked_fill(inside, fill)
