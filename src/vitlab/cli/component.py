"""`vitlab list attention.linear`, `vitlab list my_package.my_attention`: what one component is, what can be set."""

import importlib
import inspect
from dataclasses import MISSING, Field, fields
from types import ModuleType
from typing import Any, NamedTuple

from vitlab.base.errors import UserError
from vitlab.base.spec import Component, Spec, to_dict
from vitlab.cli import output


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


def show(module: str, name: str, family: str | None, json: bool) -> None:
    """Print what a module's component is; `family` is None where only its class tells."""
    found = _about(_imported(module), name, family)
    if json:
        values = found._asdict() | {"settings": [setting._asdict() for setting in found.settings]}
        output.print_json({"component": values})
        return
    console = output.console()
    console.print(f"{name} ({found.family})\n\n{found.docstring}\n")
    if found.settings_docstring:
        console.print(f"{found.settings_docstring}\n")
    if found.settings:
        rows = [(name, type_, output.json_text(default)) for name, type_, default in found.settings]
        output.print_table("settings", ("setting", "type", "default"), rows)


def _imported(name: str) -> ModuleType:
    """The module. Raises UserError if there is none, or if it cannot be imported."""
    try:
        return importlib.import_module(name)
    except (ImportError, SyntaxError) as error:
        raise UserError(f"{name}: {error}; a dotted name must be FAMILY.NAME or an importable module") from error


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
