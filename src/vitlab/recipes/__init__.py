"""Complete settings that really train a model.

A recipe is a file with a function `spec()` that returns a RunSpec; its docstring has the command, the score, the time.
"""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vitlab.base.errors import SpecError, unknown
from vitlab.base.spec import Spec, component_names, from_dict, to_dict, with_settings

if TYPE_CHECKING:
    from vitlab.train.spec import RunSpec


def recipe(name: str) -> "RunSpec":
    """The RunSpec of a recipe. Raises SpecError for an unknown one."""
    if name not in component_names(__name__):
        raise SpecError(unknown("recipe", name, component_names(__name__)))
    return importlib.import_module(f"{__name__}.{name}").spec()


def changed(spec: "RunSpec", settings: Mapping[str, Any]) -> "RunSpec":
    """A copy with settings changed. Another `data` or `model` brings sizes of its own: where they are not set, the
    model's image size, channels and classes follow the data.
    """
    if not {"data", "model"} & settings.keys():
        return with_settings(spec, settings)
    data = _data_of(spec, settings)
    sizes = {"img_size": list(data.img_size), "in_chans": data.in_chans, "num_classes": data.num_classes}
    model = settings.get("model", spec.model)
    model = to_dict(model) if isinstance(model, Spec) else {"name": model} if isinstance(model, str) else model
    if not isinstance(model, Mapping):
        raise SpecError(f"model={model!r}: expected a model's name, or settings")
    return with_settings(spec, {**settings, "model": {**model, **sizes}} | _after(settings))


def _data_of(spec: "RunSpec", settings: Mapping[str, Any]) -> Any:
    from vitlab.data.sets._base import DataSpec

    data = settings.get("data", spec.data)
    if isinstance(data, DataSpec):
        return data
    values = {"name": data} if isinstance(data, str) else data
    if not (isinstance(values, Mapping) and isinstance(values.get("name"), str)):
        raise SpecError(f"data={data!r}: expected a set's name, or settings with a name")
    return from_dict(DataSpec, values, "data")


def _after(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was set explicitly wins over what the data brought."""
    return {path: value for path, value in settings.items() if path.startswith("model.")}
