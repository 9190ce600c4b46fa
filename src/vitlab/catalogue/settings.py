"""The settings of a run by their dotted paths, as the source has them: which there are, and of what type. No torch.

    check("run", {"modle.depth": 3})    raises at once what the specs, which import torch, would refuse in the end
    settings(RUN)                       every setting, below components those of all their variants

Only what the source says for certain is refused: what a component of somebody's own has is not known here.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from vitlab.base.errors import unknown_setting
from vitlab.base.spec import check_component_name, component_names, read_value
from vitlab.catalogue.families import parsed
from vitlab.models import presets


class Class(NamedTuple):
    """A class, by where it is defined."""

    module: str
    name: str


class Setting(NamedTuple):
    """A setting as the source has it."""

    path: str
    type: str
    default: str


class _Field(NamedTuple):
    """A field of a spec's class. `inner` is the class of what stands there, if that is one spec or component."""

    type: str
    default: str
    inner: Class | None


RUN = Class("vitlab.train.spec", "RunSpec")
MODEL = Class("vitlab.models.spec", "ViTSpec")
DATA = Class("vitlab.data.sets._base", "DataSpec")
_ROOTS = {"run": RUN, "model": MODEL}
_PLAIN = {kind.__name__: kind for kind in (int, float, bool, str, tuple)} | {"Literal": Literal}


def check(of: str, values: Mapping[str, Any]) -> None:
    """Raise SpecError for a setting that a run or a model has not, and for a value that it cannot have.

    Those of a model may be called as a run's are, `model.depth`. Settings of anything else are not known here.
    """
    if (root := _ROOTS.get(of)) is not None:
        for path, value in values.items():
            short = path.removeprefix(f"{of}.")
            _check(root, short.split("."), short, value, root)


def settings(root: Class, path: str = "") -> Iterator[Setting]:
    """The settings of a class. A setting that several variants of a component have is listed once."""
    for name, field in _fields(root).items():
        yield Setting(path + name, field.type, field.default)
        if field.inner is not None:
            below = (setting for cls in _variants(field.inner) for setting in settings(cls, f"{path}{name}."))
            yield from {setting.path: setting for setting in below}.values()


def named(name: str) -> list[Setting]:
    """A run's settings of this name, wherever they stand."""
    return [setting for setting in settings(RUN) if setting.path.rpartition(".")[2] == name]


def legal_names(root: Class, path: str) -> tuple[str, ...]:
    """The names that may stand at a setting: components, or a Literal's; none if they are no names."""
    *outer, name = path.split(".")
    for key in outer:
        field = _fields(root).get(key)
        if field is None or field.inner is None or _family(field.inner):
            return ()
        root = field.inner
    field = _fields(root).get(name)
    if field is None:
        return ()
    if field.inner == MODEL:
        return tuple(presets.PRESETS)
    if field.inner is not None:
        return component_names(_family(field.inner)) if _family(field.inner) else ()
    hint = _hint(field.type)
    return get_args(hint) if get_origin(hint) is Literal else ()


# -------------------------------------------------------------------------------------------------------- checking


def _check(cls: Class, keys: list[str], path: str, value: Any, root: Class) -> None:
    name, fields = _former_names(cls).get(keys[0], keys[0]), _fields(cls)
    if name not in fields:
        outer = path[: len(path) - len(".".join(keys))]
        raise unknown_setting(path, [outer + field for field in fields], [known.path for known in settings(root)])
    field = fields[name]
    if len(keys) > 1:
        if field.inner is not None and not _family(field.inner):
            _check(field.inner, keys[1:], path, value, root)
    elif field.inner is None:
        read_value(_hint(field.type), value, path)
    elif isinstance(value, str) and field.inner == MODEL:
        presets.settings(value)
    elif isinstance(value, str) and field.inner != DATA and (family := _family(field.inner)):
        check_component_name(family, _constant(field.inner, "kind") or family.rpartition(".")[2], value)


def _hint(annotation: str) -> Any:
    """A type that is made of plain ones; Any for others."""
    try:
        return eval(annotation, {"__builtins__": _PLAIN})
    except NameError:
        return Any


# ----------------------------------------------------------------------------------------------- reading the source


@cache
def _fields(cls: Class) -> dict[str, _Field]:
    """The fields of a spec's class, those of its bases first."""
    node = _definition(cls)
    fields = {name: field for base in node.bases for name, field in _inherited(cls, base).items()}
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and not ast.unparse(line.annotation).startswith("ClassVar"):
            inner = None if isinstance(line.annotation, ast.Subscript) else _class_in(cls.module, line.annotation)
            default = "required" if line.value is None else ast.unparse(line.value)
            fields[ast.unparse(line.target)] = _Field(ast.unparse(line.annotation), default, inner)
    return fields


def _inherited(cls: Class, base: ast.expr) -> dict[str, _Field]:
    known = _class_in(cls.module, base)
    return _fields(known) if known else {}


def _variants(cls: Class) -> Iterator[Class]:
    """The class itself or, of a component, those that its family has."""
    family = _family(cls)
    for module in [f"{family}.{name}" for name in component_names(family)] if family else ():
        yield Class(module, "Spec")
    if not family:
        yield cls


def _family(cls: Class) -> str:
    """The package that a component's variants stand in; nothing of another spec."""
    return _constant(cls, "family")


@cache
def _constant(cls: Class, name: str) -> str:
    """A text that is a class variable, here or in a base."""
    node = _definition(cls)
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == name and line.value is not None:
            return str(ast.literal_eval(line.value))
    bases = (known for base in node.bases if (known := _class_in(cls.module, base)))
    return next((text for base in bases if (text := _constant(base, name))), "")


@cache
def _former_names(cls: Class) -> dict[str, str]:
    """What settings were called once, by those names."""
    for line in _definition(cls).body:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == "former_names" and line.value is not None:
            return dict(ast.literal_eval(line.value))
    return {}


def _definition(cls: Class) -> ast.ClassDef:
    node = _names(cls.module)[cls.name]
    assert isinstance(node, ast.ClassDef)
    return node


def _class_in(module: str, expression: ast.expr) -> Class | None:
    """The class of vitlab's that a name in a module stands for, perhaps beside None; None if it is another thing."""
    for name in (node.id for node in ast.walk(expression) if isinstance(node, ast.Name)):
        found = _names(module).get(name)
        if isinstance(found, ast.ClassDef):
            return Class(module, name)
        if isinstance(found, ast.ImportFrom) and str(found.module).startswith("vitlab."):
            return _class_in(str(found.module), ast.Name(name))
    return None


@cache
def _names(module: str) -> dict[str, ast.stmt]:
    """What a module defines or imports by name, at its top level."""
    names: dict[str, ast.stmt] = {}
    for node in parsed(module).body:
        if isinstance(node, ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: node for alias in node.names}
    return names
