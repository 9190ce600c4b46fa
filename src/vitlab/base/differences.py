"""Differences between two sets of settings, by dotted path."""

from collections.abc import Mapping
from typing import Any

from vitlab.base.words import shortened

_SHOWN = 5  # differences in a message
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


def told_differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """In which settings two differ, from what to what, for a message."""
    changed = differences(here, there)
    said = [f"{path} is {_short(value)} there and {_short(_at(here, path))} here" for path, value in changed.items()]
    more = len(said) - _SHOWN
    return "; ".join(said[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _at(values: Any, path: str) -> Any:
    """What stands at a dotted path; None where there is no such setting."""
    for key in path.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _short(value: Any) -> str:
    """A setting's value in a message: a component by its name."""
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return value["name"]
    return shortened(str(value), _LONGEST)
