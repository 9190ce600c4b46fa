"""Figures of pictures: maps over them, colours of patches, filters, positions, what was covered and patched."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.interpret.attribution import Areas
from vitlab.interpret.grid import Grid
from vitlab.interpret.patches import Components
from vitlab.interpret.patching import Patched
from vitlab.interpret.plots._figure import ACCENT, AMOUNT, MUTED, SECOND, chart, count, figure, heat, mosaic, numbers
from vitlab.interpret.positions import ByDistance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[Any]]
_ACROSS = 8  # pictures in a row
_SMALL = 0.55  # inches of one among very many
_OVER = 0.6  # of a map's own colour, over a picture


def plot_maps(maps: Tensor, pictures: Sequence[Array] = (), titles: Sequence[str] = ()) -> "Figure":
    """[n, rows, columns] of folded attention or of relevance, each over its picture [height, width, 1 or 3] of bytes
    where there are some. One scale for all. Raises SpecError for another number of pictures.
    """
    if pictures and len(pictures) != len(maps):
        raise SpecError(f"{len(pictures)} pictures for {len(maps)} maps")
    values = numbers(maps)
    drawn, places = mosaic(math.ceil(len(values) / _ACROSS), min(len(values), _ACROSS))
    for number, (axes, one) in enumerate(zip(places.flat, values, strict=False)):
        height, width = pictures[number].shape[:2] if pictures else one.shape
        if pictures:
            axes.imshow(pictures[number].squeeze(), cmap="gray")
        axes.imshow(
            one,
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            cmap=AMOUNT,
            vmin=values.min(),
            vmax=values.max(),
            alpha=_OVER if pictures else 1.0,
            interpolation="nearest",
        )
        axes.set_title(titles[number] if titles else "", fontsize=8, color=MUTED)
    return drawn


def plot_colours(colours: Tensor, pictures: Sequence[Array] = ()) -> "Figure":
    """[B, rows, columns, 3] of `patch_colours`, under their pictures where there are some."""
    rows = 2 if pictures else 1
    drawn, places = mosaic(rows, len(colours))
    for column, one in enumerate(numbers(colours)):
        if pictures:
            places[0, column].imshow(pictures[column].squeeze(), cmap="gray")
        places[-1, column].imshow(one, interpolation="nearest")
    return drawn


def plot_filters(found: Components) -> "Figure":
    """The principal components of a patch embedding's filters, each from black to white."""
    count = len(found.filters)
    drawn, places = mosaic(math.ceil(count / _ACROSS), min(count, _ACROSS), inches=1.0)
    for axes, one, share in zip(places.flat, numbers(found.filters), found.share.tolist(), strict=False):
        scaled = (one - one.min()) / max(np.ptp(one), np.finfo(float).tiny)
        picture = scaled.transpose(1, 2, 0) if len(one) == 3 else scaled.mean(0)
        axes.imshow(picture, cmap="gray", interpolation="nearest")
        axes.set_title(f"{share:.1%}", fontsize=7, color=MUTED)
    return drawn


def plot_position_similarity(similarity: Tensor, grid: Grid) -> "Figure":
    """[L, L] of `position_similarity`: of each patch, in its place, how alike the position of every other one is."""
    alike = numbers(grid.fold(similarity))
    drawn, places = mosaic(grid.rows, grid.columns, inches=_SMALL)
    for axes, one in zip(places.flat, alike, strict=True):
        axes.imshow(one, cmap=AMOUNT, vmin=alike.min(), vmax=alike.max(), interpolation="nearest")
    return drawn


def plot_similarity_by_distance(found: ByDistance) -> "Figure":
    """How alike positions are, by how many pixels patches are apart."""
    drawn, axes = chart("distance of patches, pixels", "similarity of positions")
    axes.plot(found.distance.tolist(), found.similarity.tolist(), "o-", color=ACCENT, markersize=3)
    return drawn


def plot_areas(found: Areas) -> "Figure":
    """The class's probability as patches are covered and uncovered, a mean over images, and the areas below."""
    drawn, axes = chart("share of patches, the most relevant first", "probability of the class")
    for name, curve, area, colour in (
        ("covered", found.deletion, found.deletion_area, SECOND),
        ("uncovered", found.insertion, found.insertion_area, ACCENT),
    ):
        axes.plot(found.share.tolist(), curve.mean(0).tolist(), color=colour, label=f"{name}: {float(area.mean()):.2f}")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, title="area")
    return drawn


def plot_patching(found: Patched, grid: Grid) -> "Figure":
    """What each token brings back: a row a block, tokens side by side; and each block's patches in their places."""
    drawn = figure(9.0, 4.0)
    left, right = drawn.subplots(1, 2, width_ratios=(2, 1))
    restored = numbers(found.restored)
    heat(left, restored, "share of the difference", either_way=True)
    own = f"; the model's own: {grid.prefix}" if grid.prefix else ""
    left.set(xlabel=f"token{own}", ylabel="block")
    count(left.yaxis)
    block = int(torch.as_tensor(restored).abs().amax(1).argmax())
    heat(right, numbers(grid.fold(found.restored[block])), "", either_way=True)
    right.set_title(f"block {block}, on the picture", fontsize=9, color=MUTED)
    right.set_aspect("equal")
    right.set_axis_off()
    return drawn
