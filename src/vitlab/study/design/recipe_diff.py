"""Changes from one recipe to another, made one at a time: which of them makes the difference?

The first cell is the base, the last is `target`; each cell in between takes over one more setting and is compared with
the one before it. Changes that cannot stand alone (a pooling that needs a cls token, say) are made together with the
next ones, until the run is legal. The answers depend on the order of the walk, which is therefore part of the study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitlab.base.differences import differences
from vitlab.base.errors import SpecError
from vitlab.base.spec import to_dict, with_settings
from vitlab.study.design._base import BASELINE, Cell, DesignSpec
from vitlab.train.spec import RunSpec

NO_TRAINING = ("seed", "evaluate_every", "test_every_epoch")  # the study's own, and when a run is looked at


@dataclass(frozen=True)
class Spec(DesignSpec):
    """`target`: the run at the other end. `order`: settings to change first, in this order; the others follow."""

    target: RunSpec
    order: tuple[str, ...] = ()

    def cells(self, base: RunSpec) -> list[Cell]:
        settings: dict[str, Any] = {}
        cells = [Cell(BASELINE, {}, {}, None, "")]
        waiting: list[str] = []
        here, there = to_dict(base), to_dict(self.target)
        for path, value in self._changes(base).items():
            settings = settings | {path: value}
            waiting.append(path)
            try:
                with_settings(base, settings)
            except SpecError:
                continue
            says = ", ".join(f"{path} from {shown(here, path)} to {shown(there, path)}" for path in waiting)
            cells.append(Cell(f"{len(cells)} {' + '.join(waiting)}", settings, {}, cells[-1].name, says))
            waiting = []
        if waiting:
            raise SpecError(f"design.target: {', '.join(waiting)} cannot be changed: the run would not be legal")
        return cells

    def _changes(self, base: RunSpec) -> dict[str, Any]:
        """The settings that differ, in the order of the walk, but for what leaves the trained weights as they are."""
        differing = differences(to_dict(base), to_dict(self.target))
        differing = {path: value for path, value in differing.items() if path not in NO_TRAINING}
        odd = [path for path in self.order if path not in differing]
        if odd:
            raise SpecError(f"design.order: {odd[0]} does not differ; these do: {', '.join(differing) or 'none'}")
        if not differing:
            raise SpecError("design.target: it is the same as the base")
        return {path: differing[path] for path in (*self.order, *(p for p in differing if p not in self.order))}


def shown(values: Any, path: str) -> str:
    """The value at a path, short."""
    for key in path.split("."):
        values = values[key]
    return _short(values)


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and "name" in value:
        return str(value["name"])
    return "[" + ", ".join(map(_short, value)) + "]" if isinstance(value, list) else str(value)
