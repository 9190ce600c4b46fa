"""What a simulated study is: one row of a table of `vitlab bench statistics`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from vitlab.bench.simulations.laws import Chances
from vitlab.stats.crossed import ScoreTable

Scores = list[ScoreTable]  # of a study's cells, the baseline's first


@dataclass(frozen=True)
class Row:
    """A kind of study; what does not apply is None."""

    kind: str  # of KINDS
    law: str
    seeds: int
    comparisons: int
    baseline_seeds: int
    pictures: int | None = None
    effect: float | None = None  # in standard deviations of runs; of an equivalence in what is worth having
    correlation: float | None = None  # of two cells' runs of one seed
    contrast: str | None = None


@dataclass(frozen=True)
class Kind:
    """Rows that make one table: what is counted, and how one study is simulated.

    `told_by`: the fields that tell the rows apart. `study` gives, by method, whether one study is counted. `asked` says
    what of a row's shares is not as it should be, empty if nothing, where shares may be off by `chance` times the
    standard deviation of a single study.
    """

    title: str
    told_by: tuple[str, ...]
    rows: tuple[Row, ...]
    study: Callable[[Row, Chances], Mapping[str, bool]]
    asked: Callable[[Mapping[str, Any], float], str]


def baseline_seeds(seeds: int, comparisons: int) -> int:
    """As many as a plan gives to what others are compared with."""
    return ceil(sqrt(comparisons) * seeds)


def share_of_false(row: Mapping[str, Any], method: str, chance: float, most: float = 0.06) -> str:
    """What is said of a method that errs more often than `most`."""
    error = row[method]
    return f"{method} errs in {error:.3f}" if error > most + chance * (most * (1 - most)) ** 0.5 else ""
