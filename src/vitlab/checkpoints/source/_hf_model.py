"""A class of transformers with its config.json as a model of ours, and a model of ours as such.

A class is a model if that which is read of the config.json made for it is the same model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import Component, plain, with_settings
from vitlab.checkpoints.source._hf_classes import CLASSES, Class
from vitlab.checkpoints.source._hf_config import Config, Settings
from vitlab.checkpoints.source._hf_families import FAMILIES
from vitlab.models.spec import ViTSpec
from vitlab.nn.head import linear
from vitlab.nn.pos_embed import learned

# What acts in training alone, and no config.json says
_OF_TRAINING = ("init", "drop_path", "embed_dropout", "mixer_dropout", "mlp_dropout")


def settings_of(name: str, config: Settings) -> dict[str, Any]:
    """The settings, dotted, that a class has with a config.json. Raises CheckpointError naming a field."""
    kind = CLASSES[name]
    family = FAMILIES[kind.family]
    told = Config(_tower(config), family.defaults)
    found: dict[str, Any] = {**family.settings, **{ours: told[theirs] for theirs, ours in family.fields.items()}}
    for part in family.parts:
        found |= part.read(told)
    return {**found, **kind.settings, "num_classes": _outputs(kind, config)}


def _tower(config: Settings) -> Settings:
    """The fields of the vision tower. `vision_config_dict`, where an old file has it, has the last word there."""
    inner = config.get("vision_config_dict") or config.get("vision_config")
    return inner if isinstance(inner, Mapping) else config


def _outputs(kind: Class, config: Settings) -> int:
    """How many outputs the head has; transformers leaves out what is as usual."""
    if kind.labels == "id2label":
        labels = config.get("id2label")
        return (len(labels) if isinstance(labels, Mapping) else 0) or 2
    return Config(config, {"projection_dim": 512})["projection_dim"] or 512 if kind.labels else 0


def config_of(name: str, spec: ViTSpec, labels: Sequence[str]) -> dict[str, Any]:
    """The config.json of a class that comes nearest to a model; `labels` are the names of its classes."""
    kind = CLASSES[name]
    family = FAMILIES[kind.family]
    values = {theirs: _at(spec, ours) for theirs, ours in family.fields.items()}
    tower = {theirs: value for theirs, value in values.items() if value is not None}
    for part in family.parts:
        tower |= part.write(spec)
    told: dict[str, Any] = {"architectures": [name], "model_type": family.model_types[-1 if kind.whole else 0]}
    told |= {"vision_config": {"model_type": family.model_types[0], **tower}} if kind.whole else tower
    if kind.labels:
        told["id2label"] = {str(number): label for number, label in enumerate(labels)}
        told["label2id"] = {label: number for number, label in enumerate(labels)}
    return told | ({"projection_dim": spec.num_classes} if kind.labels == "projection_dim" else {})


def _at(spec: ViTSpec, path: str) -> Any:
    """What stands at a dotted setting; None where there is no such."""
    value: Any = spec
    for each in path.split("."):
        value = getattr(value, each, None)
    return value


def class_for(spec: ViTSpec) -> str:
    """The class that is such a model. Raises CheckpointError if none is, with what the nearest differs in."""
    differing = {name: misfits(name, spec) for name, kind in CLASSES.items() if kind.written}
    nearest = min(differing, key=lambda name: len(differing[name]))
    if differing[nearest]:
        unlike = ", ".join(differing[nearest])
        raise CheckpointError(f"no class of transformers is this model: {nearest} comes nearest, but not with {unlike}")
    return nearest


def misfits(name: str, spec: ViTSpec) -> list[str]:
    """The settings in which a model differs from the one that a class would be with the config.json made of it."""
    labels = tuple(map(str, range(spec.num_classes)))
    try:
        there = with_settings(ViTSpec(), settings_of(name, config_of(name, spec, labels)))
    except (SpecError, CheckpointError) as error:
        return [str(error)]
    ours, theirs = _as_function(spec), _as_function(there)
    pairs = ((field.name, getattr(ours, field.name), getattr(theirs, field.name)) for field in fields(spec))
    return [f"{setting}={_word(mine, other)}" for setting, mine, other in pairs if mine != other]


def _word(mine: Any, other: Any) -> Any:
    """Our value in a message: a component by its name, unless theirs is called so, too."""
    if isinstance(mine, Component) and isinstance(other, Component) and mine.name != other.name:
        return mine.name
    return plain(mine)


def _as_function(spec: ViTSpec) -> ViTSpec:
    """The same with what makes no difference to what it computes as it is usually written."""
    dims, defaults = spec.dims(), ViTSpec()
    usual: dict[str, Any] = {name: getattr(defaults, name) for name in _OF_TRAINING}
    if spec.head_dim == spec.embed_dim // spec.num_heads:
        usual["head_dim"] = None
    if isinstance(spec.pos_embed, learned.Spec):
        usual["pos_embed"] = replace(
            spec.pos_embed,
            prefix=spec.pos_embed.prefix or not dims.num_prefix_tokens,
            registers=spec.pos_embed.registers or not (spec.num_registers and spec.pos_embed.prefix),
        )
    if not spec.num_classes:
        usual["head"] = linear.Spec()
    return replace(spec, mlp_ratio=dims.mlp_dim / spec.embed_dim, **usual)
