"""The contract of a design: from the base run to the cells of the study, and what each is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component, Spec
from vitlab.base.words import first_few
from vitlab.train.spec import RunSpec

BASELINE = "baseline"
MOST_CELLS = 10_000  # of a study


@dataclass(frozen=True)
class Level(Spec):
    """One value of a factor: what people call it, and the settings of a run that make it so."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""  # what the change to this level is, in a sentence: "removing the position embedding"


@dataclass(frozen=True)
class Factor(Spec):
    """Something that differs between cells. The first level is the reference."""

    name: str
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        names = [level.name for level in self.levels]
        if len(names) < 2 or len(set(names)) < len(names):
            told = ", ".join(first_few(names))
            raise SpecError(f"factor {self.name}: levels {told}; a factor has two or more, all different")


@dataclass(frozen=True)
class Cell:
    """One combination of levels: a training, but for its seed."""

    name: str  # unlike any other of the study
    settings: Mapping[str, Any]  # what it changes in the base
    levels: Mapping[str, str]  # by factor
    against: str | None  # the cell it is compared with; None: with no other
    says: str  # what differs from that one, in words that a sentence can begin with


@dataclass(frozen=True)
class DesignSpec(Component):
    """A design's settings."""

    family: ClassVar[str] = "vitlab.study.design"

    def cells(self, base: RunSpec) -> list[Cell]:
        """The cells, in the order in which they are trained and shown. The first one is compared with no other."""
        raise NotImplementedError

    def factors_crossed(self) -> tuple[Factor, ...]:
        """The factors whose main effects and interactions can be told apart: those of a full factorial, else none."""
        return ()


def merged(levels: Sequence[Level]) -> dict[str, Any]:
    """The settings of several levels. Raises SpecError if two of them set one thing."""
    settings: dict[str, Any] = {}
    for level in levels:
        for path, value in level.settings.items():
            if path in settings and settings[path] != value:
                raise SpecError(f"{path} is set by two factors, to {settings[path]!r} and {value!r}")
            settings[path] = value
    return settings


def said(factor: Factor, level: Level, reference: Level) -> str:
    """The change from one level of a factor to another, in words."""
    return level.says or f"{factor.name} {level.name} instead of {reference.name}"


@dataclass(frozen=True)
class FactorsDesign(DesignSpec):
    """A design made of factors."""

    factors: tuple[Factor, ...]

    def __post_init__(self) -> None:
        names = [factor.name for factor in self.factors]
        if not names or len(set(names)) < len(names):
            raise SpecError(f"design.factors={names}: expected one or more, all different")
