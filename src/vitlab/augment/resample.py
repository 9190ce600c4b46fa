"""Resampling: images of another size, or one box of each.

torch resizes all images of a batch alike. Boxes are each of another size: on a CPU they are resized one by one, on
other devices all at once and without a look at the sizes. There resizing is two matrix products, for it is separable:
the new columns are weighted sums of the old ones, the new rows of the old ones, and `weights` is a matrix [new, old]
for each sample. The two ways agree but for a grey level here and there.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

Interpolation = Literal["nearest", "bilinear", "bicubic"]
UNIT = 2.0**-14  # weights are multiples of it: so float32 sums them exactly, in any order and on any device


def resize(images: Tensor, size: tuple[int, int], interpolation: Interpolation) -> Tensor:
    """[B, C, H, W] uint8 -> [B, C, *size] uint8, antialiased but for `nearest`"""
    if interpolation == "nearest":
        return interpolate(images, size, mode="nearest")
    bytes_will_do = images.device.type == "cpu"
    values = images if bytes_will_do else images.float()
    values = interpolate(values, size, mode=interpolation, align_corners=False, antialias=True)
    return values if bytes_will_do else values.round().clamp(0, 255).to(torch.uint8)


def resize_boxes(images: Tensor, boxes: Tensor, size: tuple[int, int], interpolation: Interpolation) -> Tensor:
    """Resize one box of each image. [B, C, H, W] uint8, boxes [B, 4] -> [B, C, *size] uint8

    A box is top, left, height and width in pixels, int64. What lies outside of it has no influence.
    """
    way = one_by_one if images.device.type == "cpu" else all_at_once
    return way(images, boxes, size, interpolation)


def one_by_one(images: Tensor, boxes: Tensor, size: tuple[int, int], interpolation: Interpolation) -> Tensor:
    """`resize_boxes` where the host may look."""
    resized = images.new_empty(*images.shape[:2], *size)
    for row, (top, left, height, width) in enumerate(boxes.tolist()):
        box = images[row : row + 1, :, top : top + height, left : left + width]
        resized[row : row + 1] = resize(box, size, interpolation)
    return resized


def all_at_once(images: Tensor, boxes: Tensor, size: tuple[int, int], interpolation: Interpolation) -> Tensor:
    """`resize_boxes` where the host must not look. As Pillow, it rounds after the columns and after the rows."""
    top, left, height, width = boxes.unbind(1)
    rows = weights(top, height, images.shape[2], size[0], interpolation)
    columns = weights(left, width, images.shape[3], size[1], interpolation)
    wide = _rounded(images.float() @ columns.mT[:, None])
    return _rounded(rows[:, None] @ wide).to(torch.uint8)


def _rounded(values: Tensor) -> Tensor:
    return values.add_(0.5).floor_().clamp_(0, 255)


def weights(start: Tensor, length: Tensor, old: int, new: int, interpolation: Interpolation) -> Tensor:
    """start [B], length [B] -> [B, new, old]: of how much of each old pixel each new one is made.

    Only the `length` pixels from `start` on are seen. Where they are more than `new`, the kernel is stretched to cover
    them all, which is antialiasing; but for `nearest`, which takes every new pixel from one old one.
    """
    scale = (length / new)[:, None, None]
    place = torch.arange(old, device=start.device) - start[:, None, None]  # [B, 1, old], from the box's edge
    target = torch.arange(new, device=start.device)[:, None]
    if interpolation == "nearest":
        return (place == (target * scale).floor()).float()
    kernel = triangle if interpolation == "bilinear" else cubic
    shares = kernel((place + 0.5 - (target + 0.5) * scale) / scale.clamp(min=1))
    shares = shares * ((place >= 0) & (place < length[:, None, None]))
    return (shares / shares.sum(-1, keepdim=True) / UNIT).round() * UNIT


def triangle(distance: Tensor) -> Tensor:
    """The weight of a pixel at a distance in pixels, for linear interpolation."""
    return (1 - distance.abs()).clamp(min=0)


def cubic(distance: Tensor) -> Tensor:
    """The same for cubic interpolation: Keys' kernel (IEEE Trans. ASSP 29, 1981) with a = -1/2, as Pillow's."""
    x = distance.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((2.5 - 0.5 * x) * x - 4) * x + 2
    return torch.where(x < 1, near, far * (x < 2))
