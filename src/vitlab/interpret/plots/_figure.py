"""What all figures share: how they are begun, and what values look like."""

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from vitlab.base.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

ACCENT, SECOND, MUTED = "#1f5fbf", "#b4530a", "#5c636d"  # the reports' colours
AMOUNT, EITHER_WAY = "viridis", "RdBu"  # maps of colours: of what is from zero up, and of what may be below
_COUNTED = ("block", "after block", "head", "token")
_INCHES = 1.6  # of one picture among several


def figure(width: float = 6.0, height: float = 4.0) -> "Figure":
    """An empty figure, inches wide and high. Raises UserError where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise UserError("matplotlib is not installed: pip install 'vitlab[inside]'") from None
    return Figure(figsize=(width, height), layout="constrained")


def chart(across: str, up: str) -> "tuple[Figure, Axes]":
    """A figure with one pair of axes, named; what is counted has whole numbers."""
    drawn = figure()
    axes = drawn.subplots()
    for name, axis in ((across, axes.xaxis), (up, axes.yaxis)):
        if name.startswith(_COUNTED):
            count(axis)
    axes.set(xlabel=across, ylabel=up)
    axes.spines[["top", "right"]].set_visible(False)
    return drawn, axes


def count(axis: "Axis") -> None:
    """Have an axis say whole numbers alone."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def mosaic(rows: int, columns: int, inches: float = _INCHES) -> "tuple[Figure, np.ndarray[Any, Any]]":
    """A figure of pictures in rows and columns, without axes."""
    drawn = figure(max(2.0, inches * columns), max(2.0, inches * rows))
    places = drawn.subplots(rows, columns, squeeze=False)
    for axes in places.flat:
        axes.set_axis_off()
    return drawn, places


def numbers(values: Tensor) -> "np.ndarray[Any, np.dtype[Any]]":
    """A tensor as an array."""
    return values.detach().cpu().double().numpy()


def heat(axes: "Axes", values: "np.ndarray[Any, Any]", unit: str, either_way: bool = False) -> None:
    """A matrix as colours, with a key of its unit; what may be below zero has white in its middle."""
    most = max(float(np.abs(values).max()), np.finfo(float).tiny)
    known = {"cmap": EITHER_WAY, "vmin": -most, "vmax": most} if either_way else {"cmap": AMOUNT}
    drawn = axes.imshow(values, aspect="auto", interpolation="nearest", **known)
    whole = axes.figure
    assert whole is not None
    whole.colorbar(drawn, ax=axes, label=unit)
