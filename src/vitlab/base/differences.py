"""Differences between two sets of settings, by dotted path."""

from collections.abc import Mapping
from typing import Any


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
