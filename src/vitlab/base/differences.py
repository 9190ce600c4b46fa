"""Differences between two sets of settings, by dotted path."""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vitlab.base.words import first_few, shortened

_LONGEST = 60  # characters of a value


def differences(here: Mapping[str, Any], there: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of `there` that differ, by dotted path: a component that is another one is one difference."""
    changed: dict[str, Any] = {}
    for key, value in there.items():
        mine, path = here.get(key), f"{prefix}{key}"
        if value == mine:
            continue
        nested = isinstance(value, Mapping) and isinstance(mine, Mapping)
        if nested and value.get("name") == mine.get("name"):  # type: ignore[union-attr]
            changed |= differences(mine, value, f"{path}.")  # type: ignore[arg-type]
        else:
            changed[path] = value
    return changed


def without(values: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of a spec's plain values that lacks the dotted settings, as far as it had them."""
    left = copy.deepcopy(dict(values))
    for path in paths:
        *outer, name = path.split(".")
        inside: Any = left
        for key in outer:
            inside = _item(inside, key)
        if isinstance(inside, dict):
            inside.pop(name, None)
    return left


def _item(values: Any, key: str) -> Any:
    """What stands at a key, or in a list at a place."""
    if isinstance(values, Mapping):
        return values.get(key)
    return values[int(key)] if isinstance(values, list) and key.isdigit() and int(key) < len(values) else None


def told_differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """In which settings two differ, from what to what, for a message: a line each, `  epochs 2 → 4`."""
    return "".join(f"  {change}\n" for change in first_few(list(_changes(there, here))))


def _changes(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """A change of each setting; of a list of the same names those inside of what is called so."""
    for path in differences(here, there) | differences(there, here):
        before, after = value_at(there, path), value_at(here, path)
        if (names := _names(before)) and names == _names(after):
            for name, one, other in zip(names, before, after, strict=True):
                yield from _changes(one, other, f"{prefix}{path}.{name}.")
        else:
            yield f"{prefix}{path} {_short(before)} → {_short(after)}"


def value_at(values: Any, path: str) -> Any:
    """What stands at a dotted path; None where there is no such setting."""
    for key in path.split("."):
        values = _item(values, key)
    return values


def _names(value: Any) -> list[str]:
    """The names of a list of components; nothing of anything else."""
    named = isinstance(value, Sequence) and all(isinstance(item, Mapping) and "name" in item for item in value)
    return [item["name"] for item in value] if named else []


def _short(value: Any) -> str:
    """A setting's value in a message: a component by its name, everything else as it is set."""
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return value["name"]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return shortened(value, _LONGEST)
    return shortened(json.dumps(_names(value) or value).replace('"', ""), _LONGEST)
