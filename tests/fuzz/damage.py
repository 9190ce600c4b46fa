"""Ways to damage a file of a run or a study: a value of JSON, its text, its bytes, or what it is.

Every way is a function of a generator of random numbers, so that a seed says what was done.
"""

import copy
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Random = random.Random


class Damage(NamedTuple):
    """What was done to a file. `wrong`: no record of vitlab's can look like that."""

    file: Path
    how: str
    wrong: bool


def deep(levels: int = 100_000) -> str:
    return "[" * levels + "]" * levels


WRONG_VALUES: list[Any] = [None, True, [], {}, "", "x", "\x1b[2J\n", "a" * 100_000, -1, 0.5, 1e400, float("nan"), 2**80]
TEXTS: list[Callable[[str], str]] = [
    lambda text: text[: len(text) // 2],
    lambda text: "",
    lambda text: "null",
    lambda text: deep(),
    lambda text: text.replace("{", '{"deep": ' + deep(70) + ", ", 1),
    lambda text: text.replace(": ", ": " + "9" * 5_000 + ", ", 1),
    lambda text: "\ufeff" + text,
    lambda text: text + "}",
    lambda text: text.replace('"', "'"),
]


def values_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value inside of one."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from values_of(item, (*path, key))


def changed_value(values: Any, chance: Random) -> tuple[Any, str]:
    """A copy in which one value is another, is gone, or has another name; and what was done."""
    values = copy.deepcopy(values)
    place = chance.choice(list(values_of(values)))
    *outer, last = place
    inside = values
    for key in outer:
        inside = inside[key]
    said = ".".join(map(str, place))
    match chance.random():
        case share if share < 0.15:
            del inside[last]
            return values, f"{said} is gone"
        case share if share < 0.25 and isinstance(inside, dict):
            inside[f"{last}_"] = inside.pop(last)
            return values, f"{said} is called {last}_"
        case _:
            other = chance.choice([value for value in WRONG_VALUES if type(value) is not type(inside[last])])
            inside[last] = other
            return values, f"{said} is {str(other)[:20]!r}"


def damaged_json(file: Path, chance: Random) -> Damage:
    values = json.loads(file.read_text())
    if not (values and list(values_of(values))):
        return damaged_text(file, chance)
    other, said = changed_value(values, chance)
    file.write_text(json.dumps(other))
    return Damage(file, said, False)


def damaged_lines(file: Path, chance: Random) -> Damage:
    """One line of several."""
    lines = file.read_text().splitlines()
    at = chance.randrange(len(lines))
    other, said = changed_value(json.loads(lines[at]), chance)
    lines[at] = json.dumps(other)
    file.write_text("\n".join(lines) + "\n")
    return Damage(file, f"line {at + 1}: {said}", False)


def damaged_text(file: Path, chance: Random) -> Damage:
    text = file.read_text()
    number = chance.randrange(len(TEXTS))
    file.write_text(TEXTS[number](text))
    may_be = file.suffix == ".jsonl" and number in (0, 1, 3, 7)  # a last line that was cut off is left out
    return Damage(file, f"text {number}", not may_be)


def damaged_bytes(file: Path, chance: Random) -> Damage:
    """A few bytes are others, or the file ends early."""
    content = bytearray(file.read_bytes())
    if chance.random() < 0.3:
        del content[chance.randrange(len(content)) :]
        said = f"cut off after {len(content)} bytes"
    else:
        places = [chance.randrange(len(content)) for _ in range(chance.choice([1, 3, 20]))]
        for place in places:
            content[place] ^= chance.randrange(1, 256)
        said = f"bytes {places} are others"
    file.write_bytes(content)
    return Damage(file, said, file.suffix == ".safetensors")


def no_utf8(file: Path, chance: Random) -> Damage:
    content = file.read_bytes()
    place = chance.randrange(len(content))
    file.write_bytes(content[:place] + b"\xff" + content[place:])
    return Damage(file, f"no UTF-8 at {place}", True)


def no_file(file: Path, chance: Random) -> Damage:
    """A folder, a pipe, or a link to itself."""
    kind = chance.choice(["folder", "pipe", "loop"])
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(file.name)
    return Damage(file, f"is a {kind}", kind != "loop")


def another_record(file: Path, chance: Random) -> Damage:
    """What stands in another record of the folder."""
    others = [other for other in file.parent.iterdir() if other.suffix == file.suffix and other != file]
    if not others:
        return damaged_bytes(file, chance)
    other = chance.choice(sorted(others))
    shutil.copyfile(other, file)
    return Damage(file, f"is {other.name}", True)


def damage(file: Path, chance: Random) -> Damage:
    """Damage a file in one of these ways, values more often than the rest."""
    others = [no_utf8, no_file, another_record]
    if file.suffix == ".json":
        ways = 6 * [damaged_json] + 3 * [damaged_text] + others
    elif file.suffix == ".jsonl":
        ways = 6 * [damaged_lines] + 2 * [damaged_text] + others
    else:
        ways = 6 * [damaged_bytes] + [no_file]
    return chance.choice(ways)(file, chance)
