"""Colour: operations on grey levels and colours, with a parameter for each sample.

Most of them replace a level by another that does not depend on the pixel's place: a *table* [B, C or 1, 256] says all
there is to say about them, and `look_up` applies it. Images are [B, C, H, W] uint8, parameters [B]. Three channels are
red, green and blue, and grey is their brightness; of any other number of channels it is their mean.
"""

import torch
from torch import Tensor

LEVELS = 256
LUMA = (0.2989, 0.587, 0.114)  # the shares of red, green and blue in grey: ITU-R BT.601, in torchvision's digits


def levels(device: torch.device) -> Tensor:
    """[256]: 0 to 255, float32"""
    return torch.arange(LEVELS, dtype=torch.float32, device=device)


def to_levels(values: Tensor) -> Tensor:
    """Numbers as grey levels: cut off at 0 and 255, and rounded down."""
    return values.clamp(0, 255).to(torch.uint8)


def away(values: Tensor, reference: Tensor, change: Tensor) -> Tensor:
    """values + change · (values - reference), in torchvision's order: levels are rounded down, so each bit counts."""
    return torch.addcmul(values * (1 + change), reference, -change)


def look_up(images: Tensor, table: Tensor) -> Tensor:
    """Replace each level of each image. [B, C, H, W], [B, C or 1, 256] -> [B, C, H, W]"""
    samples, channels = images.shape[:2]
    start = torch.arange(samples * channels, dtype=torch.int32, device=images.device) * LEVELS
    places = images.int().add_(start.view(samples, channels, 1, 1))  # in one long table: faster than a gather on a CPU
    return table.expand(-1, channels, -1).flatten().index_select(0, places.flatten()).view_as(images)


# ------------------------------------------------------------------------------------------------------------- tables


def identity(images: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, 256]: every level as it is."""
    return to_levels(levels(images.device)).expand(*images.shape[:2], -1)


def brightness(change: Tensor) -> Tensor:
    """[B] -> [B, 1, 256]: towards black, which is reached at -1, or away from it."""
    return to_levels(levels(change.device) * (1 + change)[:, None, None])


def contrast(images: Tensor, change: Tensor) -> Tensor:
    """[B, C, H, W], [B] -> [B, 1, 256]: towards the mean grey of the image, which is reached at -1, or away from it."""
    total = grey(images).sum((1, 2, 3), dtype=torch.int64)  # whole numbers: the same in any order
    mean = total.float() / (images.shape[-2] * images.shape[-1])
    return to_levels(away(levels(images.device), mean[:, None, None], change[:, None, None]))


def posterize(bits: Tensor) -> Tensor:
    """[B] -> [B, 1, 256]: only the `bits` highest bits are kept; all from 8 on."""
    dropped = (8 - bits).clamp(0, 8).int()[:, None, None]
    return ((levels(bits.device).int() >> dropped) << dropped).to(torch.uint8)


def solarize(threshold: Tensor) -> Tensor:
    """[B] -> [B, 1, 256]: levels from `threshold` on are inverted."""
    value = levels(threshold.device)
    return to_levels(torch.where(value >= threshold[:, None, None], 255 - value, value))


def solarize_add(addition: Tensor) -> Tensor:
    """[B] -> [B, 1, 256]: `addition` is added to levels below 128."""
    value = levels(addition.device)
    return to_levels(torch.where(value < 128, value + addition[:, None, None], value))


def invert(images: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, 256]: black becomes white."""
    return 255 - identity(images)


def autocontrast(images: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, 256]: a channel's darkest level becomes 0, its brightest 255; one alone stays."""
    low, high = (extreme.float()[..., None] for extreme in images.flatten(2).aminmax(dim=2))
    width = torch.where(high > low, (high - low) * (1 / 255), 1)
    return to_levels((levels(images.device) - torch.where(high > low, low, 0)) / width)


def equalize(images: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, 256]: a channel's levels are spread so that each share of them has as many pixels.

    In whole numbers, as Pillow does it: the brightest level's pixels do not count, and a channel of too few others
    (fewer than 255) stays as it is.
    """
    places = images.flatten(2).long()
    counts = torch.zeros(*images.shape[:2], LEVELS, dtype=torch.int64, device=images.device)
    counts.scatter_add_(2, places, torch.ones_like(places))
    darker = counts.cumsum(2) - counts
    step = (places.shape[2] - counts.gather(2, places.amax(2, keepdim=True))) // 255
    spread = ((darker + step // 2) // step.clamp(min=1)).clamp(max=255).to(torch.uint8)
    return torch.where(step > 0, spread, identity(images))


# ------------------------------------------------------------------------------------------------------------- blends


def grey(images: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, 1, H, W] float32, whole numbers: brightness of 3 channels, the mean of any other number."""
    channels = images.shape[1]
    if channels != len(LUMA):
        return (images.sum(1, keepdim=True, dtype=torch.int32) // channels).float()
    red, green, blue = images.split(1, dim=1)
    return (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2]).floor_()


def saturation(images: Tensor, change: Tensor) -> Tensor:
    """[B, C, H, W], [B] -> [B, C, H, W]: towards grey, which is reached at -1, or away from it. A grey image stays."""
    if images.shape[1] == 1:
        return images
    return to_levels(away(images, grey(images), change[:, None, None, None]))


def sharpness(images: Tensor, change: Tensor) -> Tensor:
    """[B, C, H, W], [B] -> [B, C, H, W]: towards a smoothed image, which is reached at -1, or away from it.

    Smooth is the mean of 3 × 3 pixels of which the middle one counts five times, rounded. The outermost pixels stay,
    and so does an image that has no others.
    """
    if min(images.shape[-2:]) < 3:
        return images
    values = images.short()
    inner = values[..., 1:-1, 1:-1].float()
    rows = values[..., :-2, :] + values[..., 1:-1, :] + values[..., 2:, :]
    square = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    smooth = ((square + 4 * inner) / 13).round()
    sharp = images.clone()
    sharp[..., 1:-1, 1:-1] = to_levels(torch.addcmul(inner, inner - smooth, change[:, None, None, None]))
    return sharp


def hue(images: Tensor, turn: Tensor) -> Tensor:
    """[B, C, H, W], [B] -> [B, C, H, W]: colours move along the circle of hues, by `turn` of it. A grey image stays.

    Of 1 and 3 channels only. In HSV, where red, yellow, green, cyan, blue and magenta are at 0 to 5 sixths. A channel
    falls short of the brightest one by a part of their range: none within a sixth of its own hue, all of it from two
    sixths on.
    """
    if images.shape[1] == 1:
        return images
    values = images.float()
    red, green, blue = values.split(1, dim=1)
    low, high = values.aminmax(dim=1, keepdim=True)
    span = high - low
    sixths = torch.where(
        high == red,
        green - blue,
        torch.where(high == green, blue - red + 2 * span, red - green + 4 * span),
    ) / span.clamp(min=1)
    turned = sixths + 6 * turn[:, None, None, None]
    apart = [(turned - own).remainder(6) for own in (0, 2, 4)]  # from red, green and blue, once around
    short = torch.cat([(torch.minimum(offset, 6 - offset) - 1).clamp_(0, 1) for offset in apart], dim=1)
    return to_levels((high - span * short) * (255.999 / 255))  # levels are 256 equal parts of 0 to 1, as torchvision's
