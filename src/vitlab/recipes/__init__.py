"""Complete settings that really train a model.

A recipe is a file with a function `spec()` that returns a RunSpec; its docstring has the command, the score, the time.
A recipe that comes in several forms names them in `VARIANTS`, each with what it changes: `r0_cifar10:tomvit`.
"""

import importlib
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from vitlab.base.errors import SpecError, unknown
from vitlab.base.spec import Spec, component_class, component_names, from_dict, to_dict, with_settings

if TYPE_CHECKING:
    from vitlab.data.sets._base import DataSpec
    from vitlab.train.spec import RunSpec

KEPT = ("img_size", "in_chans", "fit", "mean", "std")  # of a recipe's data, where another set leaves them open


def recipe(name: str) -> "RunSpec":
    """The RunSpec of a recipe, or of one of its variants. Raises SpecError for an unknown one."""
    file, _, variant = name.partition(":")
    if file not in component_names(__name__):
        raise SpecError(unknown("recipe", file, component_names(__name__)))
    module = importlib.import_module(f"{__name__}.{file}")
    if not variant:
        return module.spec()
    variants = getattr(module, "VARIANTS", {})
    if variant not in variants:
        raise SpecError(unknown(f"variant of {file}", variant, variants))
    return changed(module.spec(), variants[variant])


def changed(spec: "RunSpec", settings: Mapping[str, Any]) -> "RunSpec":
    """A copy with settings changed. Another `data` or `model` brings sizes of its own: where they are not set, the
    model's image size, channels and classes follow the data.
    """
    if not {"data", "model"} & settings.keys():
        return with_settings(spec, settings)
    data = _data_of(spec, settings)
    model = settings.get("model", spec.model)
    model = to_dict(model) if isinstance(model, Spec) else {"name": model} if isinstance(model, str) else model
    if not isinstance(model, Mapping):
        raise SpecError(f"model={model!r}: expected a model's name, or settings")
    own = {path: value for path, value in settings.items() if path.startswith("model.")}
    return with_settings(spec, {**settings, "data": data, "model": {**model, **_sizes(spec, data, settings)}} | own)


def _sizes(spec: "RunSpec", data: "DataSpec", settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the data decides of the model; not its image size if another way to it is set."""
    from vitlab.augment.pipeline import final_size

    sizes: dict[str, Any] = {"in_chans": data.in_chans, "num_classes": data.num_classes}
    if not any(path.startswith("preprocess") or path == "model.img_size" for path in settings):
        sizes["img_size"] = list(final_size(spec.preprocess, data.img_size))
    return sizes


def _data_of(spec: "RunSpec", settings: Mapping[str, Any]) -> "DataSpec":
    """The set that the settings name, completed by a look at it; what it leaves open is as the recipe has it."""
    from vitlab.data.named import settings_of
    from vitlab.data.sets._base import DataSpec

    data = settings.get("data", spec.data)
    if isinstance(data, DataSpec):
        return data
    values = settings_of(data) if isinstance(data, str) else data
    if not (isinstance(values, Mapping) and isinstance(values.get("name"), str)):
        raise SpecError(f"data={data!r}: expected a set's name, or settings with a name")
    opened = {field.name for field in fields(component_class(DataSpec, values["name"]))}
    kept = {name: getattr(spec.data, name) for name in KEPT if "img_size" in opened}
    own = {path.removeprefix("data."): value for path, value in settings.items() if path.startswith("data.")}
    return from_dict(DataSpec, {**kept, **values, **own}, "data").resolved()
