"""Laws of scores that simulated studies draw from: how runs vary, and how runs and pictures vary together.

All means are 0, or the same, so whatever a study calls worse or better is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from vitlab.stats.validation import Array

Chances = np.random.Generator
Draw = Callable[[Chances, int], Array]  # so many runs

CALM = 0.1  # the spread of a calm cell beside one whose spread is 1
COLLAPSE = 0.1  # of the runs
LEVEL = 1.9
DROP = 20.0  # of a run that collapses, in spreads


@dataclass(frozen=True)
class Law:
    """How the runs of a cell and of the baseline are distributed; `equal`: both alike."""

    name: str
    cell: Draw
    baseline: Draw

    @property
    def equal(self) -> bool:
        """Whether both follow one law, so that the permutation test is exact."""
        return self.cell is self.baseline


def _normal(chances: Chances, runs: int) -> Array:
    return chances.normal(size=runs)


def _calm(chances: Chances, runs: int) -> Array:
    return CALM * chances.normal(size=runs)


def _wide(chances: Chances, runs: int) -> Array:
    return 3 * chances.normal(size=runs)


def _skewed(chances: Chances, runs: int) -> Array:
    return chances.exponential(size=runs) - 1


def _heavy(chances: Chances, runs: int) -> Array:
    return chances.standard_t(3, size=runs)


def _ties(chances: Chances, runs: int) -> Array:
    return np.round(chances.normal(size=runs))


def _collapsing(chances: Chances, runs: int) -> Array:
    collapsed = chances.random(runs) < COLLAPSE
    return chances.normal(size=runs) - DROP * collapsed + DROP * COLLAPSE


LAWS = (
    Law("normal", _normal, _normal),
    Law("skewed (exponential)", _skewed, _skewed),
    Law("heavy tails (t, 3 degrees of freedom)", _heavy, _heavy),
    Law("ties (rounded to one spread)", _ties, _ties),
    Law("a tenth collapses", _collapsing, _collapsing),
    Law("normal, three times the baseline's spread", _wide, _normal),
    Law("normal, a third of the baseline's spread", _normal, _wide),
    Law("skewed, beside a calm baseline", _skewed, _calm),
    Law("a tenth collapses, beside a calm baseline", _collapsing, _calm),
)


PICTURES, ALIKE = "pictures", "pictures, as hard for all cells"  # laws of rows


@dataclass(frozen=True)
class PictureLaw:
    """Hits on pictures: run r of a cell is right on picture p with the chance Φ(level + b_p + c_p + s_r).

    b_p is how easy a picture is for all cells, c_p for this one alone, s_r what a seed is worth; all normal. At LEVEL
    83 % are right; two runs of one cell disagree on 14 % of the pictures, two of different cells on 18 %.
    """

    shared: float = 1.5
    own: float = 0.8
    seed: float = 0.03

    @classmethod
    def named(cls, law: str) -> "PictureLaw":
        """By what rows call it."""
        return {PICTURES: cls(), ALIKE: cls(own=0.0)}[law]

    def mean(self, level: float) -> float:
        """The share that is right, over all seeds and pictures."""
        return float(special.ndtr(level / self._spread))

    def run_std(self, level: float, pictures: int) -> float:
        """The standard deviation of runs of one cell on so many pictures: what a seed is worth, and chance."""
        slope = np.exp(-((level / self._spread) ** 2) / 2) / (2 * np.pi) ** 0.5 / self._spread
        nodes, weights = np.polynomial.hermite_e.hermegauss(80)
        chance = special.ndtr((level + np.hypot(self.shared, self.own) * nodes) / np.hypot(1, self.seed))
        inside = float(weights @ (chance * (1 - chance)) / weights.sum())
        return float(np.hypot(self.seed * slope, (inside / pictures) ** 0.5))

    def level_of(self, mean: float) -> float:
        """The level at which so many are right."""
        return float(special.ndtri(mean)) * self._spread

    @property
    def _spread(self) -> float:
        return float((1 + self.shared**2 + self.own**2 + self.seed**2) ** 0.5)

    def shared_pictures(self, chances: Chances, pictures: int) -> Array:
        """How easy pictures are for all cells."""
        return self.shared * chances.normal(size=pictures)

    def hits(self, chances: Chances, runs: int, shared: Array, level: float) -> np.ndarray:
        """[runs, pictures] of a cell."""
        ease = level + shared + self.own * chances.normal(size=len(shared))
        return chances.normal(size=(runs, len(shared))) < ease + self.seed * chances.normal(size=(runs, 1))
