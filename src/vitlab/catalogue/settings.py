"""The settings of a run by their dotted paths, as the source has them: which there are, and of what type. No torch.

    check("run", {"modle.depth": 3})    raises at once what the specs, which import torch, would refuse in the end
    settings(RUN)                       every setting, below components those of all their variants

Only what the source says for certain is refused: what a component of somebody's own has is not known here.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from vitlab.base.errors import SpecError, UnknownSetting, unknown_setting
from vitlab.base.source import parsed
from vitlab.base.spec import check_component_name, component_names, read_value
from vitlab.data.paths import meant
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
    """A field of a spec's class. `inner` is the class of what stands there, if that is one spec or component; `item`
    that of the components of which several stand there.
    """

    type: str
    default: str
    inner: Class | None
    item: Class | None


_MARKS = ("added", "whereabouts")  # of fields, in `vitlab.base.spec`
RUN = Class("vitlab.train.spec", "RunSpec")
MODEL = Class("vitlab.models.spec", "ViTSpec")
DATA = Class("vitlab.data.sets._base", "DataSpec")
_ROOTS = {"run": RUN, "model": MODEL}
_PLAIN = {kind.__name__: kind for kind in (int, float, bool, str, tuple)} | {"Literal": Literal}


def check(of: str, values: Mapping[str, Any], own: bool = False) -> None:
    """Raise SpecError for a setting that a run, a model or a set of data has not, and for a value that it cannot have.

    Those of a model or a set may be called as a run's are, `model.depth`. Of components that may be somebody's `own`
    no settings are known.
    """
    root, prefix = (RUN, "data.") if of == "data" else (_ROOTS[of], "")
    values = {prefix + path.removeprefix(f"{of}."): value for path, value in values.items()}
    for path, value in values.items():
        _Check(root, values, own, path, value).at(root, path.split("."))


def settings(root: Class, path: str = "") -> Iterator[Setting]:
    """The settings of a class. A setting that several variants of a component have is listed once."""
    for name, field in _fields(root).items():
        yield Setting(path + name, field.type, field.default)
        if field.inner is not None:
            below = (setting for cls in _variants(field.inner) for setting in settings(cls, f"{path}{name}."))
            yield from {setting.path: setting for setting in below}.values()


def named(name: str) -> list[Setting]:
    """A run's settings of this name, or whose path ends so, wherever they stand."""
    return [setting for setting in settings(RUN) if f".{setting.path}".endswith(f".{name}")]


def lacking(component: Class) -> list[str]:
    """The variants that have a setting without a default, as a folder's path."""
    variants = {cls.module.rpartition(".")[2]: _fields(cls).values() for cls in _variants(component)}
    return [name for name, fields in variants.items() if any(field.default == "required" for field in fields)]


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


class _Check(NamedTuple):
    """Is one setting, of all that are set, one that there is?"""

    root: Class
    values: Mapping[str, Any]
    own: bool
    path: str
    value: Any

    def at(self, cls: Class, keys: list[str]) -> None:
        """Raise SpecError if a class has no such setting; `keys` are the rest of the path, from there."""
        name, fields = _called(cls, keys[0]), _fields(cls)
        if name not in fields:
            raise self.unknown(keys, fields)
        field, below = fields[name], keys[1:]
        if not below:
            self.fits(field)
        elif field.inner is not None and not _family(field.inner):
            self.at(field.inner, below)
        elif field.inner is not None:
            self.in_one_of(field.inner, below)
        elif field.item is not None and below[0].isdigit() and below[1:]:
            self.in_one_of(field.item, below[1:])

    def in_one_of(self, component: Class, keys: list[str]) -> None:
        """Raise SpecError if no variant that may stand there has such a setting."""
        refused: dict[Class, SpecError] = {}
        for cls in self.variants(component, self.before(keys).removesuffix(".")):
            try:
                self.at(cls, keys)
            except SpecError as error:
                refused[cls] = error
            else:
                return
        for cls, refusal in refused.items():
            if _called(cls, keys[0]) in _fields(cls):  # it is the value, or what is below, that is wrong
                raise refusal
        if refused:
            raise self.unknown(keys, dict.fromkeys(name for cls in refused for name in _fields(cls)))

    def variants(self, component: Class, path: str) -> Iterator[Class]:
        """Those that may stand at a path: the one that is set, or any; none of somebody's own, which is not known."""
        name = self.values.get(f"{path}.name", self.values.get(path, {}))
        name = name.get("name") if isinstance(name, Mapping) else name
        known = {cls.module.rpartition(".")[2]: cls for cls in _variants(component)}
        if name in known:
            yield known[name]
        elif not self.own and (not isinstance(name, str) or (component == DATA and Path(name).is_dir())):
            yield from known.values()

    def fits(self, field: _Field) -> None:
        """Raise SpecError or DataError if the value is none that the field can have."""
        if field.item is not None:
            self.lists(field.item)
        elif field.inner is None:
            read_value(_hint(field.type), self.value, self.path)
        elif isinstance(self.value, str) and field.inner == MODEL:
            presets.settings(self.value)
        elif isinstance(self.value, str) and not _family(field.inner):
            raise self.no_name(field.inner)
        elif isinstance(self.value, str) and field.inner == DATA:
            meant(self.value)
        elif isinstance(self.value, str):
            self.names(field.inner, self.value)

    def lists(self, component: Class) -> None:
        """Raise SpecError if the value is no list of such components, by their names or with settings."""
        if not isinstance(self.value, list | tuple):
            example = f""", for example '{self.path}=["{self.value}"]'""" if isinstance(self.value, str) else ""
            raise SpecError(f"{self.path}={self.value!r}: expected a list{example}")
        for item in self.value:
            name = item.get("name") if isinstance(item, Mapping) else item
            if isinstance(name, str):
                self.names(component, name)

    def names(self, component: Class, name: str) -> None:
        """Raise SpecError if a name is that of no variant of a component."""
        family = _family(component)
        check_component_name(family, _constant(component, "kind") or family.rpartition(".")[2], name)

    def no_name(self, cls: Class) -> SpecError:
        """The refusal of a name where several settings stand, `optim=sgd`."""
        names = [name for name in _fields(cls) if str(self.value).lower() in legal_names(cls, name)]
        meant = [f"{self.path}.{name}={str(self.value).lower()}" for name in names]
        hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
        return SpecError(f"{self.path}={self.value}: {self.path} has settings, and no name{hint}")

    def before(self, keys: list[str]) -> str:
        """What of the path stands before the keys."""
        return self.path.removesuffix(".".join(keys))

    def unknown(self, keys: list[str], legal: Iterable[str]) -> UnknownSetting:
        """The refusal, given the names that the first of the keys could have been."""
        everywhere = [known.path for known in settings(self.root)]
        return unknown_setting(self.path, [self.before(keys) + name for name in legal], everywhere)


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
            several = isinstance(line.annotation, ast.Subscript)
            known = _class_in(cls.module, line.annotation)
            default = _default(line.value)
            inner, item = (None, known) if several else (known, None)
            fields[ast.unparse(line.target)] = _Field(ast.unparse(line.annotation), default, inner, item)
    return fields


def _default(value: ast.expr | None) -> str:
    """A field's default as it is written, of a marked field (`added(False)`) what stands inside the mark."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _MARKS:
        value = value.args[0] if value.args else None
    return "required" if value is None else ast.unparse(value)


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


def _called(cls: Class, name: str) -> str:
    """What a setting is called now, given what it may have been called once."""
    return _former_names(cls).get(name, name)


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
        if isinstance(found, Class) and found.module.startswith("vitlab."):
            return _class_in(found.module, ast.Name(found.name))
    return None


@cache
def _names(module: str) -> dict[str, ast.ClassDef | Class]:
    """The classes that a module defines at its top level, and what it imports by name."""
    names: dict[str, ast.ClassDef | Class] = {}
    for node in parsed(module).body:
        if isinstance(node, ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: Class(str(node.module), alias.name) for alias in node.names}
    return names
