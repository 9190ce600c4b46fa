"""A recipe: what it trains, in lines, and its variants."""

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component, from_dict, plain, to_dict
from vitlab.base.words import counted
from vitlab.evaluate import scores
from vitlab.evaluate._base import EvaluatorSpec
from vitlab.models.cost import cost
from vitlab.models.presets import PRESETS
from vitlab.models.spec import ViTSpec
from vitlab.names import is_recipe
from vitlab.recipes import changed, read_run_spec
from vitlab.train.spec import OptimSpec, RunSpec


class Recipe(NamedTuple):
    """What a recipe is. `facts` are its settings in words, by what they are about; `variants`: what each changes."""

    name: str
    about: str
    facts: dict[str, str]
    variants: dict[str, str]
    spec: RunSpec

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {**self._asdict(), "spec": to_dict(self.spec)}


def about(name: str, settings: Mapping[str, Any], say: Callable[[str], Any] | None = None) -> Recipe:
    """A recipe, a variant, or a spec of one's own in a file, with settings changed. Raises UserError."""
    spec = changed(read_run_spec(name), settings, say)
    if not is_recipe(name):
        return Recipe(name, "", dict(_facts(spec)), {}, spec)
    file, _, variant = name.partition(":")
    module = importlib.import_module(f"vitlab.recipes.{file}")
    said = (inspect.getdoc(module) or "").partition("\n\n")[0]
    variants = {f"{file}:{each}": _pairs(changes) for each, changes in getattr(module, "VARIANTS", {}).items()}
    if variant:
        return Recipe(name, said, {"variant": variants[name], **dict(_facts(spec))}, {}, spec)
    return Recipe(name, said, dict(_facts(spec)), variants, spec)


def _facts(spec: RunSpec) -> Iterator[tuple[str, str]]:
    model, optim = spec.model, spec.optim
    spent = cost(model)
    yield "data", _data(spec)
    yield "model", f"{_size(model)}; {spent.num_params:,} parameters, {spent.flops:,} FLOPs a picture"
    yield "parts", _parts(model)
    yield "task", _named(spec.task)
    yield "batch", counted(spec.batch_size, "picture") + (f", each {spec.repeats} times" if spec.repeats > 1 else "")
    yield "length", _length(spec)
    usual, rates = OptimSpec(), {"lr": optim.lr, "weight_decay": optim.weight_decay}
    for name in ("backbone_lr", "layer_decay", "decay_on", "clip_norm", "ema", "update"):
        rates |= {name: getattr(optim, name)} if getattr(optim, name) != getattr(usual, name) else {}
    yield "optimiser", f"{_named(optim.optimizer)}; {_pairs(rates)}"
    yield "schedule", _named(optim.schedule)
    yield "augmentation", ", ".join(map(_named, spec.augment)) or "none"
    yield "evaluation", _evaluation(spec)


def _data(spec: RunSpec) -> str:
    data = spec.data
    place = getattr(data, "path", None) or getattr(data, "repo", None)
    size = " × ".join(map(str, (*data.img_size, data.in_chans)))
    known = [counted(data.num_classes, "class", "classes")] if data.num_classes else []
    known += [counted(data.num_train, "training picture")] if data.num_train else []
    return ", ".join([data.name + (f" {place}" if place else ""), size, *known])


def _size(model: ViTSpec) -> str:
    names = " or ".join(_presets_of(model))
    size = f"D {model.embed_dim}, depth {model.depth}, {counted(model.num_heads, 'head')}"
    return (f"{names}: " if names else "") + f"{size}, patches of {' × '.join(map(str, model.patch_size))}"


def _presets_of(model: ViTSpec) -> Iterator[str]:
    """The presets that a model is, whatever its pictures and classes are."""
    sizes = {name: plain(getattr(model, name)) for name in ("img_size", "in_chans", "num_classes")}
    for name, settings in PRESETS.items():
        if all(settings[size] == getattr(model, size) for size in ("embed_dim", "depth")):
            with suppress(SpecError):  # its patches may not divide this picture
                if from_dict(ViTSpec, settings | sizes) == model:
                    yield name


def _parts(model: ViTSpec) -> str:
    """The components that are not a plain ViT's."""
    usual = ViTSpec()
    names = [field.name for field in fields(model) if isinstance(getattr(model, field.name), Component)]
    others = [f"{name} {_named(part)}" for name in names if (part := getattr(model, name)) != getattr(usual, name)]
    return ", ".join(others) or "as in the ViT paper"


def _length(spec: RunSpec) -> str:
    steps = spec.planned_steps()
    in_steps = "" if steps is None else counted(steps, "step")
    if spec.epochs is None:
        return in_steps
    return f"{spec.epochs:g} epochs" + (f", about {in_steps}" if in_steps else "")


def _evaluation(spec: RunSpec) -> str:
    """What is measured when, of which weights, and where the validation pictures are from."""
    along = dict.fromkeys(map(_measured, spec.along())) if spec.val_fraction or spec.test_every_epoch else {}
    told = [f"{', '.join(along)} every {spec.evaluate_every:g} epochs"] if along else []
    told += [f"{', '.join(dict.fromkeys(map(_measured, spec.at_end())))} with the {spec.weights} weights"]
    return "; ".join([*told, f"{100 * spec.val_fraction:g} % of the training pictures are val"])


def _measured(evaluator: EvaluatorSpec) -> str:
    return evaluator.split if isinstance(evaluator, scores.Spec) else f"{evaluator.split} ({evaluator.name})"


def _named(part: Component) -> str:
    """A component with the settings that are not its defaults: `cosine (warmup_epochs=3)`."""
    own = {field.name: getattr(part, field.name) for field in fields(part)}
    own = {field.name: own[field.name] for field in fields(part) if own[field.name] != _default(field)}
    return part.name + (f" ({_pairs(own)})" if own else "")


def _default(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _pairs(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{path}={_written(value)}" for path, value in settings.items())


def _written(value: Any) -> str:
    if isinstance(value, Component):
        return _named(value)
    return f"{value:g}" if isinstance(value, float) else str(plain(value))
