"""Main effects and two-way interactions of a full factorial: every combination of levels trained with the same seeds.

The seeds are blocks: every effect is computed within each seed, and its n values, one a seed, carry the test. With
y[s, i, j, …] the score of seed s at level i of one factor, j of another, and a dot for the mean over a factor's levels:

    main effect of level i           y[s, i, ·] - y[s, 0, ·]
    interaction of levels i and j    (y[s, i, j] - y[s, 0, j]) - (y[s, i, 0] - y[s, 0, 0])

(Level 0 is a factor's first, its reference.) So a main effect is what a change of level does on average over all other
factors, and an interaction is how much one change alters what the other does; both in the metric's units, with the
paired t interval. No contrast assumes that effects vary equally over seeds.

Whether an effect is there at all, over all its levels, the repeated-measures analysis of variance says: F from the sums
of squares of the effect and of seed × effect. For two levels F = t². For more it assumes sphericity, so the degrees of
freedom of its p are multiplied by Greenhouse and Geisser's ε (1959), which is 1 for two levels. Holm's correction goes
over the effects; the contrasts' p-values and intervals are of one contrast each. What a contrast could have shown is
computed as for comparisons (`vitlab.stats.power`), at α divided by the number of effects.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from vitlab.base.errors import UserError, unknown
from vitlab.stats.corrections import holm
from vitlab.stats.decision import ALPHA
from vitlab.stats.intervals import LEVEL, Interval, spread, t_interval, t_test
from vitlab.stats.power import smallest_d_z
from vitlab.stats.validation import ROUNDING, Array, Scores, by_seed, largest, only, share

Level = str | int | float | bool | None


class Levels(NamedTuple):
    """What intervals cover, and the chance of a false effect that a decision allows."""

    interval: float
    decision: float


@dataclass(frozen=True)
class Contrast:
    """One level of each of the effect's factors against the references; see the module for what is subtracted."""

    levels: tuple[Level, ...]
    references: tuple[Level, ...]
    mean: float
    std: float | None  # over seeds
    t_interval: Interval | None
    t: float | None
    p: float | None
    smallest_effect: float | None  # that these seeds would have shown with 80 % power; a size without sign
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Effect:
    """A factor's main effect, or the interaction of two. None has its reason in `reasons`."""

    factors: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    f: float | None
    df: int
    df_error: int
    epsilon: float | None  # Greenhouse and Geisser's
    p: float | None  # of F, with both degrees of freedom multiplied by epsilon
    p_holm: float | None  # over the effects of the study
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Factorial:
    """The effects of a study: of each factor, then of each two."""

    seeds: tuple[int, ...]  # that every cell has
    left_out: tuple[int, ...]  # that some cell lacks: an effect within a seed needs all its cells
    effects: tuple[Effect, ...]


def factorial(
    factors: Mapping[str, Sequence[Level]],
    cells: Mapping[tuple[Level, ...], Scores],
    *,
    level: float = LEVEL,
    alpha: float = ALPHA,
) -> Factorial:
    """Analyse a full factorial; `cells` are keyed by one level a factor, in the order of `factors`.

    Raises UserError if a combination is missing, or if no seed has run in all of them.
    """
    share("level", level)
    share("alpha", alpha)
    _refuse_odd_factors(factors)
    seeds, left_out, scores = _array(factors, cells)
    axes = list(enumerate(factors, start=1))
    effects = []
    together = [*itertools.combinations(axes, 1), *itertools.combinations(axes, 2)]
    levels = Levels(level, alpha / len(together))
    for chosen in together:
        over = tuple(axis for axis, name in axes if (axis, name) not in chosen)
        given = {name: factors[name] for _, name in chosen}
        effects.append(_effect(given, scores.mean(axis=over), largest(scores), levels))
    adjusted = holm([effect.p for effect in effects])
    return Factorial(seeds, left_out, tuple(_corrected(*tested) for tested in zip(effects, adjusted, strict=True)))


def _refuse_odd_factors(factors: Mapping[str, Sequence[Level]]) -> None:
    if not factors:
        raise UserError("factors: a factorial has one factor at least")
    for name, levels in factors.items():
        if len(levels) < 2 or len(set(levels)) < len(levels):
            raise UserError(f"{name}={list(levels)}: a factor has two levels or more, all different")


def _array(
    factors: Mapping[str, Sequence[Level]], cells: Mapping[tuple[Level, ...], Scores]
) -> tuple[tuple[int, ...], tuple[int, ...], Array]:
    """The seeds that all cells have, the others, and the scores [n, levels of each factor…]."""
    combinations = list(itertools.product(*factors.values()))
    for cell in cells:
        if cell not in combinations:
            labels = [_label(factors, combination) for combination in combinations]
            raise UserError(unknown("cell", _label(factors, cell), labels))
    missing = [_label(factors, combination) for combination in combinations if combination not in cells]
    if missing:
        raise UserError(f"no scores of {missing[0]} ({len(missing)} cells missing): not a full factorial")
    given = [by_seed(_label(factors, combination), cells[combination]) for combination in combinations]
    everywhere = set.intersection(*map(set, given))
    if not everywhere:
        raise UserError("no seed has a score in every cell: effects within seeds cannot be computed")
    seeds = tuple(sorted(everywhere))
    left_out = tuple(sorted(set.union(*map(set, given)) - everywhere))
    shape = [len(levels) for levels in factors.values()]
    scores = np.array([[scores[seed] for scores in given] for seed in seeds])
    return seeds, left_out, scores.reshape(len(seeds), *shape)


def _label(factors: Mapping[str, Sequence[Level]], cell: tuple[Level, ...]) -> str:
    if not isinstance(cell, tuple) or len(cell) != len(factors):
        return repr(cell)
    return ", ".join(f"{name}={value}" for name, value in zip(factors, cell, strict=True))


def _effect(factors: Mapping[str, Sequence[Level]], scores: Array, scale: float, wanted: Levels) -> Effect:
    """The effect of all these factors together, from scores [n, levels of each] that are means over the others."""
    differences, centred = scores, scores
    for axis, size in enumerate(scores.shape[1:], start=1):
        differences = differences.take(range(1, size), axis=axis) - differences.take([0], axis=axis)
        centred = centred - centred.mean(axis=axis, keepdims=True)
    references = tuple(levels[0] for levels in factors.values())
    combinations = itertools.product(*(levels[1:] for levels in factors.values()))
    columns = differences.reshape(len(scores), -1).T
    contrasts = tuple(
        _contrast(levels, references, column, scale, wanted)
        for levels, column in zip(combinations, columns, strict=True)
    )
    return _analysis(tuple(factors), contrasts, centred.reshape(len(scores), -1), scale)


def _contrast(
    levels: tuple[Level, ...], references: tuple[Level, ...], differences: Array, scale: float, wanted: Levels
) -> Contrast:
    values = np.where(abs(differences) <= ROUNDING * scale, 0.0, differences)
    std, no_std = spread(values, scale)
    interval, no_interval = t_interval(values, scale, wanted.interval)
    t, p, no_t = t_test(values, scale)
    smallest = smallest_d_z(len(values), wanted.decision) * std if std else None
    no_smallest = "the differences have no spread" if std == 0 else no_std
    reasons = only(std=no_std, t_interval=no_interval, t=no_t, p=no_t, smallest_effect=no_smallest)
    return Contrast(levels, references, float(values.mean()), std, interval, t, p, smallest, reasons)


def _analysis(factors: tuple[str, ...], contrasts: tuple[Contrast, ...], centred: Array, scale: float) -> Effect:
    """The analysis of variance of an effect, from its values [n, levels], which sum to zero over each factor."""
    n, df = len(centred), len(contrasts)
    df_error = (n - 1) * df
    mean = centred.mean(axis=0)
    residual = centred - mean
    if n == 1 or abs(residual).max() <= ROUNDING * scale:
        nothing = n > 1 and abs(mean).max() <= ROUNDING * scale  # as in the t test: no effect whatever is p = 1
        f, p = (0.0, 1.0) if nothing else (None, None)
        why_not = "1 seed has no spread" if n == 1 else "the effect is the same at every seed"
        reasons = only(epsilon=why_not, **({} if nothing else {"f": why_not, "p": why_not}))
        return Effect(factors, contrasts, f, df, df_error, None, p, None, reasons)
    f = float(n * (mean**2).sum() / df / ((residual**2).sum() / df_error))
    # The sum of the eigenvalues of the effect's covariance over seeds, squared, over df times the sum of their squares
    covariance = residual.T @ residual
    epsilon = min(1.0, float(np.trace(covariance) ** 2 / (df * (covariance**2).sum())))
    p = float(stats.f.sf(f, epsilon * df, epsilon * df_error))
    return Effect(factors, contrasts, f, df, df_error, epsilon, p, None)


def _corrected(effect: Effect, p_holm: float | None) -> Effect:
    return replace(effect, p_holm=p_holm, reasons=effect.reasons | only(p_holm=effect.reasons.get("p", "")))
