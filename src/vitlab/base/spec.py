"""Specs: frozen dataclasses that say what to build, read strictly and written back exactly.

A spec is made of plain values, other specs, and *components*. A component is a part chosen by name, and its name
is the name of the file that defines it: `attention="linear"` is `vitlab/nn/attention/linear.py`, whose class `Spec`
holds the part's settings. Other names are modules of somebody else's, `my_package.my_attention`: `vitlab.base.foreign`.

    to_dict(spec)            -> plain JSON values; every setting written out, but for young ones (`added`)
    from_dict(cls, values)   -> the spec again; an unknown key, a wrong type or an unknown name is a SpecError
    with_settings(spec, {"optim.lr": 1e-3})   -> a changed copy, checked as a whole
"""

import copy
import dataclasses
import importlib
import importlib.util
import math
import pkgutil
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar, Union

from vitlab.base.errors import SpecError, UnknownSetting, unknown, unknown_setting
from vitlab.base.files import parsed
from vitlab.base.foreign import file_of, foreign_module, is_path
from vitlab.base.trust import setting_of
from vitlab.base.words import KINDS, shown

WHEREABOUTS, _ADDED = "whereabouts", "added"  # marks of fields
C = TypeVar("C", bound="Component")
_LARGEST = 3.4e38  # that single precision has


@dataclass(frozen=True)
class Spec:
    """A frozen description. Subclasses are frozen dataclasses; `__post_init__` refuses what cannot be.

    `former_names` are settings that once had other names, by these: what people wrote then is still read.
    """

    former_names: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def named(cls, name: str) -> dict[str, Any] | None:
        """The settings that a name stands for, where a kind of spec has names of its own (presets); else None."""
        return None


@dataclass(frozen=True)
class Component(Spec):
    """A spec whose class is chosen by the name of the module that defines it.

    `family` is the package that holds the variants; `vitlab.nn.attention` for the attentions, say.
    """

    family: ClassVar[str]
    kind: ClassVar[str] = ""  # what messages call it, where that is not the family's folder

    @property
    def name(self) -> str:
        """The name that selects this component: its file's name, or the dotted path of a foreign module."""
        module = type(self).__module__
        return module.removeprefix(self.family + ".")

    @property
    def shipped(self) -> bool:
        """Whether it comes with vitlab, and is not somebody's own."""
        return type(self).__module__.startswith(self.family + ".")


# ---------------------------------------------------------------------------------------------- finding components


@cache
def component_names(family: str) -> tuple[str, ...]:
    """The variants of a family: the files of its folder. Imports nothing but empty packages."""
    package = importlib.util.find_spec(family)
    if package is None or package.submodule_search_locations is None:
        raise SpecError(f"{family} is not a family of components")
    modules = pkgutil.iter_modules(package.submodule_search_locations)
    return tuple(sorted(m.name for m in modules if not m.name.startswith("_")))


def check_component_name(family: str, kind: str, name: str) -> None:
    """Raise SpecError for a name that selects nothing: no variant of the family, no module of one's own."""
    names = component_names(family)
    if name not in names and not ("." in name or is_path(name) or file_of(name)):
        raise SpecError(f"{unknown(kind, name, names)} (nor is there a {name}.py in the current folder)")


def component_class(base: type[C], name: str, path: str = "") -> type[C]:
    """The spec class that `name`, of the setting `path`, selects: of the family of `base`, or else one's own."""
    kind = base.kind or base.family.rsplit(".", 1)[-1]
    check_component_name(base.family, kind, name)
    shipped = name in component_names(base.family)
    if shipped:
        module = importlib.import_module(f"{base.family}.{name}")
    else:
        module = foreign_module(name, f"{kind}={name}", setting_of(path) or kind)
    spec = getattr(module, "Spec", None)
    if not (isinstance(spec, type) and issubclass(spec, base)):
        raise SpecError(f"{kind}={name}: the module has no class Spec that extends {base.__module__}.{base.__name__}")
    return spec


# ---------------------------------------------------------------------------------------------------- reading


def from_dict(cls: type, values: Mapping[str, Any], path: str = "") -> Any:
    """Build `cls`, a spec or another dataclass, from plain values. `path` is where they stand, for the messages.

    Raises SpecError for an unknown or missing key, a wrong type, or values that do not fit together.
    """
    if not isinstance(values, Mapping):
        raise SpecError(f"{path or cls.__name__}: expected settings, got {shown(values)}")
    if issubclass(cls, Component) and "name" in values:
        return _read_component(cls, values, path)
    hints = _hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    former = getattr(cls, "former_names", {})
    values = {former.get(key, key): value for key, value in values.items()}
    for key in values:
        if key not in fields:
            raise unknown_setting(_join(path, key), [_join(path, name) for name in fields])
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise SpecError(f"{_join(path, name)} is missing")
    read = {key: read_value(hints[key], value, _join(path, key)) for key, value in values.items()}
    try:
        return cls(**read)
    except SpecError as error:
        raise _placed(error, path, fields) from None


def read_fields(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Some settings of a spec, as plain values of the types that it has, but not checked against each other: 48 for
    both sides of an image as [48, 48]. Names that it has not stay. Raises SpecError.
    """
    hints = _hints(cls)
    return {
        name: plain(read_value(hints[name], value, name)) if name in hints else value for name, value in values.items()
    }


def _placed(error: SpecError, path: str, fields: Iterable[str]) -> SpecError:
    """A refusal by a spec of its own setting, `depth=0: …`, with the place of the spec: `model.depth=0: …`."""
    setting, equals, _ = str(error).partition("=")
    return SpecError(_join(path, str(error))) if path and equals and setting in fields else error


def read_value(hint: Any, value: Any, path: str) -> Any:
    """`value` as the type `hint`; the one place that knows which types a spec may hold."""
    if hint is Any:
        return plain(value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and isinstance(value, hint) and issubclass(hint, Spec):
        return value
    if isinstance(hint, type) and issubclass(hint, Component):
        return _read_component(hint, value, path)
    if isinstance(hint, type) and issubclass(hint, Spec):
        return from_dict(hint, _unfold(hint, value), path)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_dict(hint, value, path)
    if origin is Literal:
        if value not in arguments:
            raise SpecError(f"{path}={shown(value)}: legal: {', '.join(map(str, arguments))}")
        return value
    if origin in (Union, types.UnionType):
        return _read_optional(arguments, value, path)
    if origin is tuple:
        return _read_tuple(arguments, value, path)
    if origin in (Mapping, dict):
        return _read_mapping(arguments[1], value, path)
    return _read_plain(hint, value, path)


def _unfold(cls: type[Spec], value: Any) -> Any:
    """A preset's name, alone or with changes, as settings."""
    if _has_name(cls):
        return value
    settings = {"name": value} if isinstance(value, str) else value
    if not isinstance(settings, Mapping) or not isinstance(settings.get("name"), str):
        return value
    preset = cls.named(settings["name"])
    return value if preset is None else preset | {key: item for key, item in settings.items() if key != "name"}


def _has_name(cls: type[Spec]) -> bool:
    """Whether a name is a setting of it like others, and stands for nothing."""
    return any(field.name == "name" for field in dataclasses.fields(cls))


def _read_component(base: type[Component], value: Any, path: str) -> Component:
    settings = {"name": value} if isinstance(value, str) else value
    if not (isinstance(settings, Mapping) and isinstance(settings.get("name"), str)):
        raise SpecError(f"{path}={shown(value)}: expected a name, or settings with a name")
    cls = component_class(base, settings["name"], path)
    return from_dict(cls, {k: v for k, v in settings.items() if k != "name"}, path)


def _read_optional(arguments: tuple[Any, ...], value: Any, path: str) -> Any:
    """A value of one of several types; of plain ones the value's own, so that 1 stays an int where floats may be."""
    hints = [hint for hint in arguments if hint is not type(None)]
    if len(hints) < len(arguments) and is_null(value) and not any(_takes_text(hint, value) for hint in hints):
        return None
    own = [hint for hint in hints if hint is type(value)]
    return read_value((own or hints)[0], value, path)


def is_null(value: Any) -> bool:
    """Whether a value is null, or what people write for it."""
    return value is None or (isinstance(value, str) and value in ("none", "None", "null"))


def _takes_text(hint: Any, value: Any) -> bool:
    """Whether a value is a text, and as such one of the type's own: `none` may be a component."""
    if not isinstance(value, str):
        return False
    if isinstance(hint, type) and issubclass(hint, Component):
        return value in component_names(hint.family)
    return hint in (str, Any) or (typing.get_origin(hint) is Literal and value in typing.get_args(hint))


def _read_tuple(arguments: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        if is_null(value):  # augment=none
            return ()
        if not isinstance(value, list | tuple):
            raise SpecError(f"{path}={shown(value)}: expected a list")
        return tuple(read_value(arguments[0], item, f"{path}.{i}") for i, item in enumerate(value))
    if isinstance(value, int | float):  # one number stands for every place: img_size=32 is 32 by 32
        value = (value,) * len(arguments)
    if not isinstance(value, list | tuple) or len(value) != len(arguments):
        raise SpecError(
            f"{path}={shown(value)}: expected {len(arguments)} values, as in {list(range(1, len(arguments) + 1))}"
        )
    return tuple(
        read_value(hint, item, f"{path}.{i}") for i, (hint, item) in enumerate(zip(arguments, value, strict=True))
    )


def _read_mapping(hint: Any, value: Any, path: str) -> dict[str, Any]:
    """Values by name. Where their type is Any, only their user can check them: what a level of a factor sets, say."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise SpecError(f"{path}={shown(value)}: expected values by name")
    return {key: read_value(hint, item, _join(path, key)) for key, item in value.items()}


def _read_plain(hint: type, value: Any, path: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    digits = isinstance(value, str) and hint is int and len(value) > 18 and value.removeprefix("-").isdecimal()
    if digits or (isinstance(value, int) and abs(value) >= 2**63):
        raise SpecError(f"{path}={shown(value)}: too large a number")
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise SpecError(f"{path}={shown(value)}: expected {KINDS.get(hint, hint.__name__)}")
    if isinstance(value, float) and not abs(value) < _LARGEST:
        raise SpecError(f"{path}={value!r}: {'too large a' if math.isfinite(value) else 'not a finite'} number")
    return value


@cache
def field_names(cls: type) -> frozenset[str]:
    """The settings that a spec has, and the names that they once had."""
    return frozenset({field.name for field in dataclasses.fields(cls)} | set(getattr(cls, "former_names", {})))


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


# ---------------------------------------------------------------------------------------------------- writing


def to_dict(spec: Spec) -> dict[str, Any]:
    """Plain JSON values from which `from_dict` makes an equal spec."""
    values = {f.name: plain(getattr(spec, f.name)) for f in dataclasses.fields(spec) if _is_written(spec, f)}
    return {"name": spec.name, **values} if isinstance(spec, Component) else values


def plain(value: Any) -> Any:
    """A setting's value as JSON has it."""
    if isinstance(value, Spec):
        return to_dict(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def whereabouts(default: Any = dataclasses.MISSING) -> Any:
    """A field that says where something lies, and not what it is: a spec that has moved keeps its id."""
    return dataclasses.field(default=default, metadata={WHEREABOUTS: True})


def added(default: Any) -> Any:
    """A field that is younger than records that have been written. While it says `default`, which is how it was before,
    nothing is written of it, so that specs are equal to those of old, and keep their ids.
    """
    return dataclasses.field(default=default, metadata={_ADDED: True})


def _is_written(spec: Spec, field: "dataclasses.Field[Any]") -> bool:
    return not (field.metadata.get(_ADDED) and getattr(spec, field.name) == field.default)


# --------------------------------------------------------------------------------------------------- changing


def with_settings(spec: Any, settings: Mapping[str, Any]) -> Any:
    """A copy with dotted settings changed, for example `{"model.attention": "linear", "optim.lr": 1e-3}`.

    All are applied before the whole is checked, so two that only make sense together may come in any order.
    """
    values = to_dict(spec)
    try:
        for path in sorted(settings, key=lambda path: path.count(".")):  # a part before its settings
            _set(values, path.split("."), settings[path], path, type(spec))
        return from_dict(type(spec), values)
    except UnknownSetting as error:
        raise unknown_setting(error.path, error.legal, _paths(to_dict(spec))) from None


def _paths(values: Any, path: str = "") -> Iterator[str]:
    """The dotted path of every setting in a spec's plain values."""
    for key, value in values.items() if isinstance(values, Mapping) else ():
        yield _join(path, key)
        yield from _paths(value, _join(path, key))


def _set(values: Any, keys: list[str], value: Any, path: str, cls: type[Spec] | None) -> None:
    """Write one setting into the settings of `cls`; None where only the name of a component tells its class."""
    key, rest = keys[0], keys[1:]
    if cls is not None:
        key = cls.former_names.get(key, key)
    if isinstance(values, list):
        if not (key.isdigit() and int(key) < len(values)):
            raise SpecError(f"{path}: no item {key!r} in a list of {len(values)}")
        key = int(key)  # type: ignore[assignment]
    elif rest and key not in values:
        raise unknown_setting(path, [_join(".".join(path.split(".")[: -len(keys)]), k) for k in values])
    if not rest:
        values[key] = copy.deepcopy(plain(value))  # deeper settings are written into it, and it is the caller's
        return
    inner = cls if isinstance(values, list) or cls is None else _spec_class(cls, key)
    values[key] = _opened(inner, values[key])
    if not isinstance(values[key], dict | list):
        raise SpecError(f"{path}: {key} is a plain value and has no setting {rest[0]!r}")
    _set(values[key], rest, value, path, inner)


def _spec_class(cls: type[Spec], key: str) -> type[Spec] | None:
    """The kind of spec that stands at a setting of `cls`; None for components and plain values."""
    hint = _hints(cls).get(key)  # type: ignore[arg-type]  # as in from_dict
    for kind in (hint, *typing.get_args(hint)):
        if isinstance(kind, type) and issubclass(kind, Spec) and not issubclass(kind, Component):
            return kind
    return None


def _opened(cls: type[Spec] | None, value: Any) -> Any:
    """A value that may be a name, as settings into which deeper ones can be written."""
    settings = {"name": value} if isinstance(value, str) else value
    named = isinstance(settings, dict) and isinstance(settings.get("name"), str)
    if cls is None or _has_name(cls) or not named or (preset := cls.named(settings["name"])) is None:
        return settings
    return to_dict(from_dict(cls, preset)) | {key: item for key, item in settings.items() if key != "name"}


def parse_setting(text: str) -> tuple[str, Any]:
    """`"optim.lr=1e-3"` as `("optim.lr", 0.001)`: JSON where it is JSON, else the text itself.

    `model.attention.name=linear` is `model.attention=linear`: nothing of the old component's settings stays.
    """
    path, equals, value = text.partition("=")
    path = path.removesuffix(".name")
    if not equals or not path:
        raise SpecError(f"--set {text}: expected PATH=VALUE, for example model.attention=linear")
    try:
        return path, parsed(value)
    except ValueError:
        return path, {"True": True, "False": False, "None": None}.get(value, value)
