"""A component: what its module says of it, and its settings."""

import importlib
import importlib.util
import inspect
from dataclasses import MISSING, Field, fields
from types import ModuleType
from typing import Any, NamedTuple

from vitlab.base.errors import UserError, unknown
from vitlab.base.foreign import file_of, foreign_module, is_path
from vitlab.base.spec import Component, Spec, component_names, to_dict
from vitlab.base.trust import typed
from vitlab.catalogue.families import FAMILIES


class Setting(NamedTuple):
    """A setting as it is written in a spec; `default` is "required" if it has none."""

    name: str
    type: str
    default: Any


class About(NamedTuple):
    """What a module says of itself and of its settings."""

    name: str
    family: str
    about: str
    docstring: str
    settings_docstring: str
    settings: tuple[Setting, ...]

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return self._asdict() | {"settings": [setting._asdict() for setting in self.settings]}


def about(what: str) -> About:
    """`attention.linear` is the family's file; another name or path is a module of somebody's own. Raises UserError."""
    typed(what)
    family, _, name = what.partition(".")
    if is_path(what) or (not name and file_of(what)):
        return _about(foreign_module(what, what), what, None)
    if family not in FAMILIES:
        if not family or importlib.util.find_spec(family) is None:
            raise UserError(f"{what}: no module {family!r}, and {unknown('family', family, FAMILIES)}")
        return _about(foreign_module(what, what), what, None)
    names = component_names(FAMILIES[family])
    if name not in names:
        raise UserError(unknown(family, name, names))
    return _about(importlib.import_module(f"{FAMILIES[family]}.{name}"), what, family)


def _about(module: ModuleType, name: str, family: str | None) -> About:
    docstring = inspect.getdoc(module) or ""
    spec = getattr(module, "Spec", None)
    if not (isinstance(spec, type) and issubclass(spec, Component)):
        if family is None:
            raise UserError(f"{name}: the module has no class Spec that extends a family's")
        return About(name, family, docstring.split("\n")[0], docstring, "", ())
    settings = tuple(_setting(field) for field in fields(spec))
    family = family or spec.family.rsplit(".", 1)[-1]
    return About(name, family, docstring.split("\n")[0], docstring, _explained(spec), settings)


def _explained(spec: type[Component]) -> str:
    """What its class says of the settings, and what the family's classes say of those that all share."""
    names = {field.name for field in fields(spec)}
    explaining = [spec, *(base for base in spec.__mro__[1:] if names & vars(base).get("__annotations__", {}).keys())]
    return "\n\n".join(inspect.cleandoc(cls.__doc__) for cls in explaining if cls.__doc__)


def _setting(field: "Field[Any]") -> Setting:
    default = "required" if field.default is MISSING else field.default
    kind = field.type if isinstance(field.type, str) else inspect.formatannotation(field.type)
    return Setting(field.name, kind, to_dict(default) if isinstance(default, Spec) else default)
