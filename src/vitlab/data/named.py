"""Data sets by name: what `--data TEXT` means."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from vitlab.base.errors import SpecError
from vitlab.base.spec import component_class, from_dict, plain
from vitlab.data.parquet import has_shards
from vitlab.data.paths import find, meant
from vitlab.data.sets._base import DataSpec


def settings_of(text: str) -> dict[str, Any]:
    """The settings of the set that a text names, for `from_dict(DataSpec, …)`:

    `digits`, or any other set that needs no settings; `hub:ORG/NAME`, `folder:PATH`, `parquet:PATH`; or a path, which
    holds parquet files or pictures. A name goes before a folder of that name. Raises DataError, with near names.
    """
    settings = meant(text)
    if "name" in settings:
        return settings
    folder = find(text)
    return {"name": "parquet" if folder is not None and has_shards(folder) else "folder", **settings}


def data_named(data: Any, kept: Mapping[str, Any], own: Mapping[str, Any] = {}) -> DataSpec:
    """The set of a text or of settings with a name, completed by a look at it.

    `kept` are values for what it leaves open, `own` are settings that go before all others.
    """
    values = settings_of(data) if isinstance(data, str) else data
    if not (isinstance(values, Mapping) and isinstance(values.get("name"), str)):
        raise SpecError(f"data={data!r}: expected a set's name, or settings with a name")
    left_open = {field.name for field in fields(component_class(DataSpec, values["name"], "data"))}
    defaults = {name: plain(value) for name, value in kept.items() if "img_size" in left_open and name in left_open}
    return from_dict(DataSpec, {**defaults, **values, **own}, "data").resolved()


def same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the settings of two sets are of one set, wherever it is looked at from."""
    return _place(one) == _place(other)


def _place(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    folder = find(str(settings["path"])) if "path" in settings else None
    return settings["name"], settings.get("repo"), folder.resolve() if folder else None
