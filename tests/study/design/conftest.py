"""Cells as short tuples."""

from collections.abc import Callable
from typing import Any

import pytest

from vitlab.study.design._base import Factor, Level
from vitlab.study.spec import factor

POSITIONS = factor("model.pos_embed", "learned", "none", "sincos2d", name="positions")
NORM = Factor(
    "norm", (Level("pre", {"model.block": "pre_norm"}), Level("post", {"model.block": "post_norm"}, "norms after"))
)


@pytest.fixture
def cells_of(base_run: Callable[..., Any]) -> Callable[..., list[tuple[Any, ...]]]:
    """`cells_of(design)`: (name, settings, levels, against, says) of each cell."""

    def find(design: Any, base: Any = None) -> list[tuple[Any, ...]]:
        found = design.cells(base or base_run())
        return [(cell.name, dict(cell.settings), dict(cell.levels), cell.against, cell.says) for cell in found]

    return find
