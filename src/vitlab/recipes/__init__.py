"""Recipes: complete settings that really train a model.

A recipe is a file with a function `spec()` that returns a RunSpec; its docstring has the command, the score, the time.
A recipe that comes in several forms names them in `VARIANTS`, each with what it changes: `r0_cifar10:tomvit`.
One that is made for what the user brings takes that: `spec(given)`, weights to start from and data.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from vitlab.base.errors import SpecError
from vitlab.base.files import naming_source, read_object
from vitlab.base.going_on import unsaid
from vitlab.base.spec import (
    Spec,
    from_dict,
    is_null,
    plain,
    to_dict,
    with_settings,
)
from vitlab.names import check_recipe

if TYPE_CHECKING:
    from vitlab.data.sets._base import DataSpec
    from vitlab.train.spec import RunSpec

EXCLUSIVE = {  # settings of which one can be set, and what the other is then
    ("epochs", "steps"): None,
    ("optim.schedule.warmup_epochs", "optim.schedule.warmup_steps"): 0,
}
_DECIDE_LENGTH = ("batch_size", "repeats", "val_fraction", "data.train_fraction")  # of an epoch, beside the data
_SET_LENGTH = {"epochs", "steps", "data", *_DECIDE_LENGTH}
_SET_WARMUP = {"optim", "optim.schedule", "optim.schedule.warmup_epochs", "optim.schedule.warmup_steps"}
# Of a recipe's data, where another set leaves them open
KEPT = ("img_size", "in_chans", "fit", "interpolation", "mean", "std")


class Consequence(NamedTuple):
    """What a setting means for others that are not set: their values, and a sentence that says so."""

    settings: dict[str, Any]
    says: str


class Given(NamedTuple):
    """What a user brings to a recipe: the path of weights to start from, as `--init` takes it, and settings by their
    paths, of which one may be `data`.
    """

    init: str = ""
    settings: Mapping[str, Any] = MappingProxyType({})
    say: Callable[[str], object] = unsaid  # is told of what was found

    def inside(self, part: str) -> dict[str, Any]:
        """The settings of a part, `data` say, by their own names."""
        start = f"{part}."
        return {path.removeprefix(start): value for path, value in self.settings.items() if path.startswith(start)}


NOTHING = Given()


def recipe(name: str, given: Given = NOTHING) -> "RunSpec":
    """The RunSpec of a recipe, or of one of its variants. Raises SpecError for an unknown one."""
    file, _, variant = name.partition(":")
    check_recipe(name)
    module = importlib.import_module(f"{__name__}.{file}")
    made = module.spec(given) if is_made_for(name) else module.spec()
    return changed(made, module.VARIANTS[variant]) if variant else made


def is_made_for(name: str) -> bool:
    """Whether a recipe is made for what the user brings. Raises SpecError for an unknown one."""
    if name.endswith(".json"):
        return False
    check_recipe(name)
    module = importlib.import_module(f"{__name__}.{name.partition(':')[0]}")
    return bool(inspect.signature(module.spec).parameters)


def read_run_spec(text: str, given: Given = NOTHING) -> "RunSpec":
    """The run that a text names: a recipe, or a file of JSON with a run's settings or a run's spec.json."""
    if not text.endswith(".json"):
        return recipe(text, given)
    from vitlab.train.spec import RunSpec

    values = read_object(Path(text))
    with naming_source(text):
        return from_dict(RunSpec, values.get("spec", values))


def changed(spec: "RunSpec", settings: Mapping[str, Any], say: Callable[[str], Any] | None = None) -> "RunSpec":
    """A copy with settings changed. Another `data` or `model` brings sizes of its own: where they are not set, the
    model's image size, channels and classes follow the data. Another start brings the checksum of its content.

    What else follows from a setting is in `CONSEQUENCES`; `say` is told of it.
    """
    for consequences in CONSEQUENCES:
        for more, said in consequences(spec, settings):
            settings = {**settings, **more}
            if say is not None:
                say(said)
    if "start.path" in settings:
        settings = _from_path(spec, settings)
    if {"data", "model"} & settings.keys():
        settings = _with_sizes(spec, settings)
    made = with_settings(spec, settings)
    if (made.start, made.model) == (spec.start, spec.model):
        return made
    return replace(made, start=made.start.resolved(), model=made.start.fitted(made.model))


def _replaced(spec: "RunSpec", settings: Mapping[str, Any]) -> Iterator[Consequence]:
    """Of two settings that exclude each other, the one that is set replaces the other."""
    for pair, absent in EXCLUSIVE.items():
        for path, other in (pair, pair[::-1]):
            before = _at(spec, other)
            if path in settings and not is_null(settings[path]) and other not in settings and before != absent:
                said = f"{path}={_written(settings[path])} replaces the recipe's {other}={_written(before)}"
                yield Consequence({other: absent}, said)


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _at(spec: Any, path: str) -> Any:
    """What stands at a dotted path of a spec."""
    return reduce(getattr, path.split("."), spec)


def _warmup_kept_in_proportion(spec: "RunSpec", settings: Mapping[str, Any]) -> Iterator[Consequence]:
    """The warm-up of a run that is made shorter is as much shorter; otherwise the rate would rise and hardly fall."""
    schedule = spec.optim.schedule
    unit = "steps" if schedule.warmup_steps else "epochs"
    own = schedule.warmup_steps or schedule.warmup_epochs
    lengths = list(_lengths(spec, settings))
    if not own or len(lengths) != 1 or settings.keys() & _SET_WARMUP or not settings.keys() & _SET_LENGTH:
        return
    ((length, count),) = lengths
    times = _times_as_long(spec, settings, length, count, unit)
    if times is not None and times < 1:
        kept = _rounded(own * times, unit, schedule.per)
        said = f"warm-up: {own:g} → {_amount(kept, unit)}, as the training is shorter"
        yield Consequence({f"optim.schedule.warmup_{unit}": kept}, said)
    elif times is None and (whole := _length(spec, unit)):  # its share is known, and how long the training is is not
        kept = _rounded(own / whole * count, length, schedule.per)
        warmup = {f"optim.schedule.warmup_{unit}": 0, f"optim.schedule.warmup_{length}": kept}
        said = f"warm-up: {_amount(own, unit)} → {_amount(kept, length)}, the same share of the training"
        yield Consequence(warmup, said)


def _lengths(spec: "RunSpec", settings: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The length that a training is to have, in epochs or in steps."""
    for name in ("epochs", "steps"):
        count = settings.get(name, getattr(spec, name))
        if isinstance(count, int | float) and count > 0:
            yield name, count


def _times_as_long(spec: "RunSpec", settings: Mapping[str, Any], length: str, count: float, unit: str) -> float | None:
    """How many times as long as the recipe's a training is, in steps or epochs; None where only the data tell."""
    if length == unit and (own := _length(spec, unit)):
        return count / own
    if "data" in settings:
        return None
    decides = {path: settings[path] for path in _DECIDE_LENGTH if path in settings}
    lengths = {"epochs": None, "steps": None, length: count}
    now, then = (_length(run, unit) for run in (with_settings(spec, {**decides, **lengths}), spec))
    return now / then if now and then else None


def _length(spec: "RunSpec", unit: str) -> float | None:
    """A training's length in steps or in epochs; None where only the data tell."""
    if getattr(spec, unit) is not None:
        return getattr(spec, unit)
    per_epoch, steps = spec.planned_steps_per_epoch(), spec.planned_steps()
    if unit == "steps" or steps is None:
        return steps
    return None if per_epoch is None else steps / per_epoch


def _amount(number: float, unit: str) -> str:
    return f"{number:g} {unit.removesuffix('s') if number == 1 else unit}"


def _rounded(warmup: float, unit: str, per: str) -> float:
    """Whole steps; whole epochs where the rate is held within one; otherwise as people write numbers."""
    return round(warmup) if unit == "steps" or per == "epoch" else float(f"{warmup:.3g}")


CONSEQUENCES = (_replaced, _warmup_kept_in_proportion)  # in this order; each sees what those before it set


def _from_path(spec: "RunSpec", settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with what a path to start from means beside them: another checksum; and start=checkpoint where
    nothing was started from. A start of somebody's own knows itself what its path means.
    """
    start = plain(settings.get("start", spec.start))
    name = start.get("name") if isinstance(start, Mapping) else start
    if name == "checkpoint":
        return {"start.checksum": None, **settings}
    return {"start": "checkpoint", **settings} if name == "scratch" else dict(settings)


def _with_sizes(spec: "RunSpec", settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with what the data decides of the model."""
    data = _data_of(spec, settings)
    model = settings.get("model", spec.model)
    model = to_dict(model) if isinstance(model, Spec) else {"name": model} if isinstance(model, str) else model
    if not isinstance(model, Mapping):
        raise SpecError(f"model={model!r}: expected a model's name, or settings")
    own = {path: value for path, value in settings.items() if path.startswith("model.")}
    return {**settings, "data": data, "model": {**model, **_sizes(spec, data, settings)}} | own


def _sizes(spec: "RunSpec", data: "DataSpec", settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the data decides of the model; not its image size if another way to it is set."""
    from vitlab.augment.pipeline import final_size

    sizes: dict[str, Any] = {"in_chans": data.in_chans, "num_classes": data.num_classes}
    if not any(path.startswith("preprocess") or path == "model.img_size" for path in settings):
        sizes["img_size"] = list(final_size(spec.preprocess, data.img_size))
    return sizes


def _data_of(spec: "RunSpec", settings: Mapping[str, Any]) -> "DataSpec":
    """The set that the settings name; what it leaves open is as the recipe has it."""
    from vitlab.data.named import data_named
    from vitlab.data.sets._base import DataSpec

    data = settings.get("data", spec.data)
    if isinstance(data, DataSpec):
        return data
    own = {path.removeprefix("data."): value for path, value in settings.items() if path.startswith("data.")}
    return data_named(data, {name: getattr(spec.data, name) for name in KEPT}, own)
