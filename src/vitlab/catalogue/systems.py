"""The systems: the rows of the reference studies, with every model built, without weights, to be counted."""

from collections.abc import Iterable
from functools import cache

from vitlab.models.cost import num_params
from vitlab.models.spec import preset
from vitlab.reference import systems
from vitlab.reference.page import COLUMNS as COLUMNS
from vitlab.reference.page import Reasons, accuracies, cells
from vitlab.reference.page import page as page_of
from vitlab.reference.system import System


def rows() -> list[tuple[System, int | None]]:
    """Every row, and how many parameters its model has, where it has a model."""
    known = counts(systems())
    return [(system, known.get(str(system.preset))) for system in systems()]


def table() -> tuple[list[tuple[str, ...]], list[str]]:
    """The rows for a terminal, under `COLUMNS`, and the numbered reasons why something is missing."""
    known, reasons = counts(systems()), Reasons()
    return [cells(system, known, reasons, accuracies(system)) for system in systems()], reasons.lines()


def page() -> str:
    """The page docs/reproductions.md, as it is committed."""
    return page_of(counts(systems()))


def counts(some: Iterable[System]) -> dict[str, int]:
    """The number of parameters of every preset."""
    return {system.preset: _count(system.preset) for system in some if isinstance(system.preset, str)}


@cache
def _count(name: str) -> int:
    return num_params(preset(name))
