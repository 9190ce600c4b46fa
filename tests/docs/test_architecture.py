"""The architecture's page is what stands: its house has every room, and its table is the way of a step."""

import re
import sys
from pathlib import Path

import vitlab
from vitlab.data.splits import carve
from vitlab.recipes import changed, recipe
from vitlab.train.machine.choices import Choices
from vitlab.train.step.assemble import build_loop

PACKAGE = Path(vitlab.__file__).parent
PAGE = (PACKAGE.parent.parent / "docs" / "architecture.md").read_text()
HOUSE = PAGE.split("```")[1]
TABLE = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]


def walked():
    """The files that the second step of `vitlab train digits` enters, in their order."""
    spec = changed(recipe("digits"), {"batch_size": 8})
    images = spec.data.load()
    indices, _ = carve(images.train.labels, spec.val_fraction, spec.val_seed)
    loop = build_loop([spec], images, indices, Choices(micro_batch=8))
    loop.step()
    entered = {}

    def note(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            entered[str(path.relative_to(PACKAGE))] = True

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        loop.step()
    finally:
        sys.setprofile(before)
    return list(entered)


def test_the_table_is_the_way_of_a_step():
    rows = [re.findall(r"`(\S+\.py)`", row) for row in TABLE]
    order = walked()
    assert sorted(path for row in rows for path in row) == sorted(order)
    firsts = [min(order.index(path) for path in row) for row in rows]
    assert firsts == sorted(firsts), [rows[place] for place, first in enumerate(firsts)]


def test_the_house_has_every_room():
    rooms = [path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert [room.name for room in rooms if f"{room.name}/" not in HOUSE] == []
    modules = [path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")]
    assert [name for name in modules if name not in HOUSE] == []


def test_files_that_it_names_are_there():
    named = {path for path in re.findall(r"`([\w/]+\.py)`", PAGE) if "/" in path}
    roots = (PACKAGE, PACKAGE.parent.parent)
    assert [path for path in sorted(named) if not any((root / path).exists() for root in roots)] == []
