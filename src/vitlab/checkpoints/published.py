"""Somebody else's checkpoint as a model of ours: its spec, tensors under our names, and what a picture goes through.

read("vit.safetensors", model="vit_base_patch16_224")   -> Published
write(source, spec, tensors)                            -> tensors under their names
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import component_names, from_dict, read_fields, read_value, to_dict, with_settings
from vitlab.base.words import counted, some
from vitlab.checkpoints.content import content_at, unwrapped
from vitlab.checkpoints.hub import repo_of
from vitlab.checkpoints.shapes import differing_shapes
from vitlab.checkpoints.source._base import Content, SourceSpec, are_numbers
from vitlab.checkpoints.source._rows import bound
from vitlab.checkpoints.source._told import assumed, told
from vitlab.models import presets
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT, is_head
from vitlab.preprocessing import Preprocessing

Tensors = Mapping[str, Tensor]
Settings = Mapping[str, Any]
Kind = str | Settings | SourceSpec | None  # of a source; None: as its tensors say
NONE: Settings = MappingProxyType({})
_HEADS = ("heads", "fc", "classifier", "cls_head", "linear_head")  # as classifiers are called that ours is not
_SIZES = ("depth", "embed_dim")  # of which tensors go before a name or config.json, and that is said


class Published(NamedTuple):
    """A model of ours with somebody else's weights. `notes` say where it came from, and what had to be assumed."""

    source: SourceSpec
    spec: ViTSpec
    tensors: dict[str, Tensor]
    preprocessing: Preprocessing
    notes: tuple[str, ...]


def read(path: str | Path, source: Kind = None, model: str = "", settings: Settings = NONE) -> Published:
    """The checkpoint at a path. `source` is its kind, where that is not to be recognised; `model` a preset's name, for
    what tensors cannot tell; `settings` of the model go before both.

    Raises CheckpointError naming what does not match, on both sides, and SpecError for settings that cannot be.
    """
    found = of_content(known(content_at(path)), source, model, settings)
    called = f"hub:{repo}" if (repo := repo_of(str(path))) else Path(path).name
    found = found._replace(notes=(f"{found.notes[0]}, of {called}", *found.notes[1:]))
    if broken := [name for name, tensor in found.tensors.items() if not tensor.isfinite().all()]:
        raise CheckpointError(f"{path} holds numbers that are not finite: {some(broken)}")
    return found


def named(found: Published, names: Sequence[str]) -> Published:
    """The same with its classes called so. Raises CheckpointError unless they only had numbers, and each of them has a
    name of its own now.
    """
    before = found.preprocessing.class_names
    if not are_numbers(before):
        raise CheckpointError(f"its classes have names: {some(before)}; a file of others is for those that have none")
    if len(names) != found.spec.num_classes:
        raise CheckpointError(
            f"{counted(len(names), 'name')} for {counted(found.spec.num_classes, 'class', 'classes')}"
        )
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise CheckpointError(f"two classes of one name: {some(twice)}")
    return found._replace(preprocessing=replace(found.preprocessing, class_names=tuple(names)))


def known(content: Content) -> Content:
    """The same, or without what a wrapper put around most of its names, where only then a source has such."""
    if _fitting(content):
        return content
    inside = unwrapped(content)
    return inside if _fitting(inside) else content


def of_content(content: Content, source: Kind = None, model: str = "", settings: Settings = NONE) -> Published:
    """The same of what was found at a path."""
    kind = (source_named(source) if source else recognised(content)).of(content)
    content = content.called(model or kind.preset(content))
    named = _of_name(content, told=not model)
    tensors, leftover = _ours(kind, _theirs(kind, content))
    without = [name for name in (*tensors, *leftover) if _is_of_a_head(name)] if _is_headless(settings) else []
    tensors = {name: tensor for name, tensor in tensors.items() if name not in without}
    leftover = [name for name in leftover if name not in without]
    beside = _beside(kind, content, named)
    spec = _spec(content, tensors, named, beside, settings)
    _check_fit(kind, spec, tensors, leftover)
    preprocessing = kind.preprocessing(content, spec)
    notes = (
        f"{kind.title} weights, {counted(len(content.tensors), 'tensor')}",
        *content.notes,
        *([f"left out: {some(unread)}"] if (unread := [*kind.unread(content), *without]) else []),
        *kind.notes(content),
        *_overruled({**named, **beside}, spec),
        *assumed(tensors, named, {**beside, **settings}, to_dict(spec)),
    )
    if not kind.tells_pictures(content):
        told_of_pictures = preprocessing.told(spec.img_size)
        notes = (*notes, f"assumed, as nothing says how pictures were prepared: {told_of_pictures}")
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return Published(kind, spec, contiguous, preprocessing, notes)


def _overruled(said: Settings, spec: ViTSpec) -> Iterator[str]:
    """Sizes that a name or config.json gives otherwise than the tensors, which count."""
    for name in _SIZES:
        if (there := said.get(name)) is not None and there != getattr(spec, name):
            yield f"{name}={there} by its name or what stands beside the tensors, and {getattr(spec, name)} by these"


def tensors_of(content: Content, source: Kind = None) -> dict[str, Tensor]:
    """The same tensors under our names, whatever model they are of. Those without a place keep their names, but that
    those of a classifier, whatever it is called, are the head's: it may begin anew.
    """
    kind = source_named(source) if source else recognised_or_none(content)
    if kind is None:
        return dict(content.tensors)
    kind = kind.of(content)
    theirs = _theirs(kind, content)
    tensors, leftover = _ours(kind, theirs)
    every = tensors | {name: theirs[name] for name in leftover}
    return {f"head.{name}" if _is_of_a_head(name) and not is_head(name) else name: each for name, each in every.items()}


def _is_headless(settings: Settings) -> bool:
    """Whether a model is wanted that gives features, whatever classifier the tensors have."""
    return settings.get("num_classes") == 0


def _is_of_a_head(name: str) -> bool:
    return is_head(name) or name.partition(".")[0] in _HEADS


def told_of(content: Content) -> Settings:
    """Settings of the model that stand beside the tensors, or that its source always has; empty if there are none."""
    kind = recognised_or_none(content)
    if kind is None:
        return NONE
    try:
        return kind.of(content).model(content, NONE)
    except CheckpointError:  # nothing stands there
        return NONE


def write(kind: SourceSpec, spec: ViTSpec, tensors: Tensors) -> dict[str, Tensor]:
    """A model's tensors as a source names and lays them out. Raises CheckpointError where it has no place for some."""
    rows, without = bound(kind.rows(spec), tensors, "ours")
    if without:
        raise CheckpointError(f"{kind.title} has no place for {some(without)}")
    written: dict[str, Tensor] = {}
    for row in rows:
        written |= row.write(tensors)
    return kind.finished(written, spec)


def source_named(source: str | Settings | SourceSpec) -> SourceSpec:
    """A source by its name, or by settings with a name. Raises SpecError for an unknown one."""
    read: SourceSpec = read_value(SourceSpec, source, "source")
    return read


def recognised_or_none(content: Content) -> SourceSpec | None:
    """The same, or None for tensors of no source that is known: those of a model of ours with parts of its own, say."""
    fitting = _fitting(content)
    return _only(fitting, content) if fitting else None


def _fitting(content: Content) -> list[SourceSpec]:
    return [kind for name in component_names(SourceSpec.family) if (kind := _usual(name)) and kind.recognises(content)]


def _usual(name: str) -> SourceSpec | None:
    """A source as it is without settings; None for one that needs some."""
    with suppress(SpecError):
        return source_named(name)
    return None


def recognised(content: Content) -> SourceSpec:
    """The source that wrote these tensors. Raises CheckpointError if none, or more than one, can have."""
    return _only(_fitting(content), content)


def _only(fitting: Sequence[SourceSpec], content: Content) -> SourceSpec:
    names = ", ".join([kind.name for kind in fitting] or component_names(SourceSpec.family))
    if not fitting:
        first = some(sorted(content.tensors))
        raise CheckpointError(
            f"{content.path}: of no vision transformer that is known, by the names of its tensors ({first}). If it is "
            f"one, --key-map FILE takes names of your own, and --from says whose it is: {names}"
        )
    if len(fitting) > 1:
        raise CheckpointError(f"{content.path}: may be of {names}; --from says which")
    return fitting[0]


def _theirs(kind: SourceSpec, content: Content) -> Tensors:
    try:
        return kind.tensors(content)
    except (RuntimeError, IndexError, KeyError) as error:
        raise CheckpointError(f"{content.path}: not laid out as {kind.title} checkpoints are: {error}") from None


def _ours(kind: SourceSpec, tensors: Tensors) -> tuple[dict[str, Tensor], list[str]]:
    """Tensors under our names, and the names of theirs that there is no place for."""
    useful = {name: tensor for name, tensor in tensors.items() if not kind.is_ignored(name)}
    rows, leftover = bound(kind.rows(None), useful, "theirs")
    read: dict[str, Tensor] = {}
    for row in rows:
        read |= row.read(useful)
    return read, leftover


def _of_name(content: Content, told: bool) -> Settings:
    """The settings of the preset that the user named, or that is `told` by what stands beside the tensors."""
    try:
        return presets.settings(content.name) if content.name else {}
    except SpecError as error:
        raise (CheckpointError(f"{content.path}: config.json: {error}") if told else error) from None


def _beside(kind: SourceSpec, content: Content, named: Settings) -> Settings:
    try:
        return kind.model(content, named)
    except SpecError as error:
        raise CheckpointError(
            f"{content.path}: what stands beside its tensors is of no model that can be: {error}"
        ) from None


def _spec(content: Content, tensors: Tensors, named: Settings, beside: Settings, settings: Settings) -> ViTSpec:
    given = read_fields(ViTSpec, _plain(settings))  # what is wrong there is not the file's fault
    try:
        besides = {**beside, **given}
        known = {**named, **besides}
        of_name = named.get("num_heads")
        if "num_heads" in given or besides.get("num_heads", of_name) != of_name:
            known.pop("embed_dim", None)  # they hold whatever the width, and not for that of the preset alone
        spec = from_dict(ViTSpec, told(tensors, known))
        return with_settings(spec, settings)
    except SpecError as error:
        raise CheckpointError(f"{content.path}: its tensors are of no model that can be: {error}") from None
    except (IndexError, KeyError):  # a matrix is none, or of two layers one is missing
        raise CheckpointError(f"{content.path}: its tensors have not the shapes of a ViT's") from None


def _plain(settings: Settings) -> dict[str, Any]:
    """Those that are not inside of a part: what tensors cannot tell is taken from these."""
    return {name: value for name, value in settings.items() if "." not in name}


def _check_fit(kind: SourceSpec, spec: ViTSpec, tensors: Tensors, leftover: Sequence[str]) -> None:
    problems = "; ".join(_problems(spec, tensors, leftover))
    if problems:
        raise CheckpointError(f"{kind.title} weights do not fit the model that they tell of: {problems}")


def _problems(spec: ViTSpec, tensors: Tensors, leftover: Sequence[str]) -> Iterator[str]:
    with torch.device("meta"):
        wanted = ViT(spec).state_dict()
    unknown = sorted({*leftover, *(tensors.keys() - wanted.keys())})
    if missing := sorted(wanted.keys() - tensors.keys()):
        yield f"missing there: {some(missing)}"
    if unknown:
        only = ": num_classes=0 leaves a head out, and it begins anew where a training starts from these"
        cure = only if all(map(_is_of_a_head, unknown)) else ""
        yield f"without a place here: {some(unknown)}{cure}"
    there = {name: tensors[name] for name in sorted(wanted.keys() & tensors.keys())}
    if whole := [name for name, tensor in there.items() if tensor.is_quantized or not tensor.is_floating_point()]:
        yield f"not of floating point: {some(whole)}"
    yield from differing_shapes(there, wanted)
