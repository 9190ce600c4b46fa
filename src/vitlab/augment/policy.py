"""Policies, learned and random: steps, of which every sample goes through one of its own.

A `Step` is an operation with its magnitude. `take` leads each sample through the step that was chosen for it. A batch
meets few kernels, however many operations there are, and no host looks at what was chosen (see `when_chosen`):

    all geometry    one map for each sample                                (`vitlab.augment.geometry`)
    all tables      one table of grey levels for each channel of a sample  (`vitlab.augment.colour`)
    the rest        Color, Sharpness, Cutout, one after the other
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.augment import colour, geometry
from vitlab.augment.chosen import when_chosen
from vitlab.rng import uniform

# magnitude [B], rows, columns -> [B, 2, 3]
MAPS: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "ShearX": lambda amount, rows, columns: geometry.shear_x(amount, rows),
    "ShearY": lambda amount, rows, columns: geometry.shear_y(amount, columns),
    "TranslateX": lambda pixels, rows, columns: geometry.translate_x(pixels),
    "TranslateY": lambda pixels, rows, columns: geometry.translate_y(pixels),
    "Rotate": lambda degrees, rows, columns: geometry.rotate(degrees),
}
# images [B, C, H, W], magnitude [B] -> [B, C or 1, 256]
TABLES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Brightness": lambda images, change: colour.brightness(change),
    "Contrast": colour.contrast,
    "Posterize": lambda images, bits: colour.posterize(bits),
    "Solarize": lambda images, threshold: colour.solarize(threshold),
    "SolarizeAdd": lambda images, addition: colour.solarize_add(addition),
    "AutoContrast": lambda images, _: colour.autocontrast(images),
    "Equalize": lambda images, _: colour.equalize(images),
    "Invert": lambda images, _: colour.invert(images),
}
OPERATIONS = ("Identity", *MAPS, *TABLES, "Color", "Sharpness", "Cutout")
CODES = {name: code for code, name in enumerate(OPERATIONS)}


class Step(NamedTuple):
    """An operation and its magnitude, in the operation's own unit.

    Shears in pixels per pixel, translations in pixels, Rotate in degrees anticlockwise; Brightness, Contrast, Color and
    Sharpness as a change, which is 0 for none; Posterize in bits kept; Solarize and SolarizeAdd in grey levels; Cutout
    in pixels from the square's centre to its side.

    `signed`: the magnitude is negative for half of the samples. `probability`: of the step being taken at all.
    """

    operation: str
    magnitude: float = 0.0
    signed: bool = False
    probability: float = 1.0


@cache
def _columns(steps: tuple[Step, ...], device: torch.device) -> Tensor:
    """[4, steps]: code, magnitude, signed, probability; on the device once: to copy them makes the host wait."""
    rows = [(CODES[name], magnitude, signed, p) for name, magnitude, signed, p in steps]
    return torch.tensor(rows, dtype=torch.float32, device=device).T.contiguous()


def choose(steps: tuple[Step, ...], keys: Tensor) -> Tensor:
    """keys [B] -> [B], int64: one of the steps for each sample, all equally likely."""
    return (uniform(keys, "augment.policy.choice", 1)[:, 0] * len(steps)).long()


def drawn(steps: tuple[Step, ...], choice: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """choice [B], keys [B] -> the operation's code [B] and its magnitude with its sign [B], as they turn out."""
    code, magnitude, signed, probability = _columns(steps, keys.device)[:, choice]
    taken, sign = uniform(keys, "augment.policy.step", 2).unbind(1)
    magnitude = torch.where((signed > 0) & (sign < 0.5), -magnitude, magnitude)
    return torch.where(taken < probability, code, CODES["Identity"]), magnitude


def take(
    steps: tuple[Step, ...],
    choice: Tensor,
    images: Tensor,
    keys: Tensor,
    interpolation: geometry.Reading,
    fill: int,
) -> Tensor:
    """Lead each image through the step chosen for it. choice [B], [B, C, H, W] uint8, keys [B] -> [B, C, H, W] uint8

    `interpolation` and `fill` are those of the geometry; Cutout writes `fill`, too.
    """
    code, magnitude = drawn(steps, choice, keys)
    rows, columns = images.shape[-2:]
    warp = partial(geometry.warp, interpolation=interpolation, fill=fill)
    cutout = partial(geometry.cutout, fill=fill)
    images = when_chosen(_among(code, MAPS), warp, images, images, maps(code, magnitude, rows, columns))
    images = when_chosen(_among(code, TABLES), colour.look_up, images, images, tables(code, images, magnitude))
    images = when_chosen(code == CODES["Color"], colour.saturation, images, images, magnitude)
    images = when_chosen(code == CODES["Sharpness"], colour.sharpness, images, images, magnitude)
    if any(step.operation == "Cutout" for step in steps):
        row, column = uniform(keys, "augment.policy.cutout", 2).unbind(1)
        centre = torch.stack([row * rows, column * columns], dim=1).floor()
        images = when_chosen(code == CODES["Cutout"], cutout, images, images, centre, magnitude)
    return images


def _among(code: Tensor, kind: dict[str, Callable[..., Tensor]]) -> Tensor:
    """Whether an operation is one of a kind, whose codes follow each other."""
    names = list(kind)
    return (code >= CODES[names[0]]) & (code <= CODES[names[-1]])


def maps(code: Tensor, magnitude: Tensor, rows: int, columns: int) -> Tensor:
    """[B], [B] -> [B, 2, 3]; of any kind where the operation is none of `MAPS`"""
    maps = torch.stack([make(magnitude, rows, columns) for make in MAPS.values()])  # [maps, B, 2, 3]
    which = (code - CODES[next(iter(MAPS))]).clamp(0, len(MAPS) - 1).long()
    return maps[which, torch.arange(len(code), device=code.device)]


def tables(code: Tensor, images: Tensor, magnitude: Tensor) -> Tensor:
    """[B], [B, C, H, W], [B] -> [B, C, 256]; no change where the operation is none of `TABLES`"""
    table = colour.identity(images)
    for name, make in TABLES.items():
        table = when_chosen(code == CODES[name], make, table, images, magnitude)
    return table
