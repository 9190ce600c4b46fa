"""Combinations of the parts: which are legal, which are not and why.

Six axes span the space: patch embedding, positions with their place, attention (or the mixer that does without),
block, pooling and prefix tokens. What stands on an axis is found in the families' folders, so a new component is on it
by existing. Whether two choices fit is asked of the rules (`models/spec.py`) and of nobody else; the documentation's
table and the tests' cross product both come from here.
"""

import dataclasses
import importlib
import itertools
import random
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component, component_names, with_settings
from vitlab.models.spec import ViTSpec
from vitlab.nn.pos_embed._base import Place


class Option(NamedTuple):
    """One choice on an axis: what it is called, and the model settings that make it."""

    name: str
    settings: dict[str, Any]


class Refusal(NamedTuple):
    """Two choices that do not go together."""

    first: Option
    second: Option
    why: str


Axes = Mapping[str, Sequence[Option]]
Combination = tuple[Option, ...]  # one option of each axis, in the order of the axes

PREFIXES = (
    Option("patches only", {"cls_token": False}),
    Option("cls", {}),
    Option("cls, registers", {"num_registers": 2}),
    Option("cls, dist", {"dist_token": True}),
    Option("cls, dist, registers", {"dist_token": True, "num_registers": 2}),
)


def axes(components: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, tuple[Option, ...]]:
    """The axes with all their options.

    `components` gives settings to a component by its name, where the defaults do not suit the sizes at hand.
    """
    given = components or {}
    options = {
        family: tuple(_option(family, name, given) for name in component_names(f"vitlab.nn.{family}"))
        for family in ("patch_embed", "block", "pool")
    }
    return {
        "patch_embed": options["patch_embed"],
        "pos_embed": tuple(_positions(given)),
        "attention": tuple(_mixing(given)),
        "block": options["block"],
        "pool": options["pool"],
        "prefix": PREFIXES,
    }


def families() -> dict[str, tuple[Option, ...]]:
    """Every part that a model chooses by name, family by family, and the prefix tokens: what the rules look at."""
    hints = typing.get_type_hints(ViTSpec)
    bases = {field.name: hints[field.name] for field in dataclasses.fields(ViTSpec)}
    named = {name: base for name, base in bases.items() if isinstance(base, type) and issubclass(base, Component)}
    options = {name: tuple(_option(name, part, {}) for part in component_names(named[name].family)) for name in named}
    return options | {"prefix": PREFIXES}


def _option(family: str, name: str, given: Mapping[str, Mapping[str, Any]], **settings: Any) -> Option:
    where = f"{family}={name}" + "".join(f", {value}" for value in settings.values())
    return Option(where, {family: {"name": name, **given.get(name, {}), **settings}})


def _positions(given: Mapping[str, Mapping[str, Any]]) -> Iterator[Option]:
    """Every position embedding, in every place that it can take."""
    for name in component_names("vitlab.nn.pos_embed"):
        if "place" not in {field.name for field in dataclasses.fields(_spec("pos_embed", name))}:
            yield _option("pos_embed", name, given)
            continue
        for place in typing.get_args(Place):
            yield _option("pos_embed", name, given, place=place)


def _mixing(given: Mapping[str, Mapping[str, Any]]) -> Iterator[Option]:
    """Every attention in each mixer that is built around one, and every other mixer."""
    for mixer in component_names("vitlab.nn.mixer"):
        alone = _option("mixer", mixer, given)
        if not _spec("mixer", mixer).uses_attention:
            yield alone
            continue
        for name in component_names("vitlab.nn.attention"):
            attention = _option("attention", name, given)
            yield Option(f"{attention.name}, {alone.name}", attention.settings | alone.settings)


def _spec(family: str, name: str) -> Any:
    return importlib.import_module(f"vitlab.nn.{family}.{name}").Spec


def build(base: ViTSpec, options: Sequence[Option]) -> ViTSpec:
    """`base` with these choices. Raises SpecError, naming both settings, if they do not fit."""
    return with_settings(base, {path: value for option in options for path, value in option.settings.items()})


def reason(base: ViTSpec, options: Sequence[Option]) -> str | None:
    """Why these choices do not fit, or None if they do."""
    try:
        build(base, options)
    except SpecError as error:
        return str(error)
    return None


def _pair(a: Option, b: Option) -> frozenset[str]:
    return frozenset((a.name, b.name))


class Space:
    """The combinations of some axes on a base model, whose own choices must fit with every option.

    What the rules refuse, they refuse for a pair of choices. So the pairs that do not fit tell which combinations are
    legal, without asking the rules of each; a test holds the rules to that.
    """

    def __init__(self, base: ViTSpec, axes: Axes):
        self.base, self.axes = base, axes
        self._choices = list(axes.values())
        self.refused = {
            _pair(a, b): Refusal(a, b, why)
            for left, right in itertools.combinations(self._choices, 2)
            for a, b in itertools.product(left, right)
            if (why := reason(base, (a, b))) is not None
        }

    def fits(self, options: Sequence[Option]) -> bool:
        """Whether no two of these choices are refused."""
        return not any(_pair(a, b) in self.refused for a, b in itertools.combinations(options, 2))

    def all(self) -> Iterator[Combination]:
        """Every legal combination, in the order of the axes."""
        yield from self._extended((), self._choices)

    def _extended(self, chosen: Combination, rest: Sequence[Sequence[Option]]) -> Iterator[Combination]:
        if not rest:
            yield chosen
            return
        for option in rest[0]:
            if not any(_pair(option, other) in self.refused for other in chosen):
                yield from self._extended((*chosen, option), rest[1:])

    def sample(self, count: int, seed: int = 0) -> list[Combination]:
        """`count` different legal combinations, drawn evenly; all of them if there are no more."""
        combinations = list(self.all())
        return random.Random(seed).sample(combinations, min(count, len(combinations)))

    def covering(self, seed: int = 0) -> list[Combination]:
        """Few combinations in which every legal pair of choices stands at least once.

        Greedy, as in AETG (Cohen et al., IEEE TSE 1997): each begins with a pair that is not covered yet, and takes
        on every other axis the choice that covers the most of what is left.
        """
        draw = random.Random(seed)
        left = {
            _pair(a, b): (i, a, j, b)
            for (i, xs), (j, ys) in itertools.combinations(enumerate(self._choices), 2)
            for a, b in itertools.product(xs, ys)
            if self.fits((a, b))
        }
        chosen = []
        while left:
            i, a, j, b = left[next(iter(left))]
            combination = self._completed({i: a, j: b}, left, draw)
            if combination is None:  # no third choice goes with this pair
                del left[_pair(a, b)]
                continue
            chosen.append(combination)
            for x, y in itertools.combinations(combination, 2):
                left.pop(_pair(x, y), None)
        return chosen

    def _completed(self, chosen: dict[int, Option], left: Mapping, draw: random.Random) -> Combination | None:
        """A legal combination with the choices made so far, that covers much of what is left; None if there is none."""
        if len(chosen) == len(self._choices):
            return tuple(chosen[axis] for axis in range(len(self._choices)))
        axis = next(index for index in range(len(self._choices)) if index not in chosen)
        fitting = [option for option in self._choices[axis] if self.fits((*chosen.values(), option))]
        draw.shuffle(fitting)  # of equally good ones not always the first
        fitting.sort(key=lambda option: -sum(_pair(option, c) in left for c in chosen.values()))
        for option in fitting:
            if (whole := self._completed(chosen | {axis: option}, left, draw)) is not None:
                return whole
        return None
