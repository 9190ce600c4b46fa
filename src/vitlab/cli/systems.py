"""`vitlab list systems`: the rows of the reference studies. Every model is built, without weights, to be counted."""

from collections.abc import Iterable
from functools import cache

from vitlab.cli import output
from vitlab.reference import systems
from vitlab.reference.page import COLUMNS, Reasons, accuracies, cells, page
from vitlab.reference.system import System


def show_table() -> None:
    """For people, 140 columns wide; docs/reproductions.md says more of every row."""
    counts, reasons = _counts(systems()), Reasons()
    rows = [cells(system, counts, reasons, accuracies(system)) for system in systems()]
    output.print_table("systems", COLUMNS, rows)
    console = output.console()
    for line in reasons.lines():
        console.print(line)
    console.print("Accuracies are top-1 in percent; --json and docs/reproductions.md say what each of them is.")


def show_json() -> None:
    """One object: {"systems": […]}."""
    counts = _counts(systems())
    rows = [system.as_json(counts.get(str(system.preset))) for system in systems()]
    output.print_json({"systems": rows})


def show_markdown() -> None:
    """The page docs/reproductions.md, as it is committed."""
    print(page(_counts(systems())), end="")


def _counts(rows: Iterable[System]) -> dict[str, int]:
    """The number of parameters of every preset."""
    return {system.preset: _count(system.preset) for system in rows if isinstance(system.preset, str)}


@cache
def _count(name: str) -> int:
    from vitlab.models.cost import num_params
    from vitlab.models.vit import preset

    return num_params(preset(name))
