"""Paired studies: what the sign-flip test finds and how often it errs, beside the same runs taken as unpaired."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from vitlab.bench.simulations.laws import Chances
from vitlab.bench.simulations.methods import VerdictOnly, decided, decision, paired_t
from vitlab.bench.simulations.row import Kind, Row, share_of_false
from vitlab.stats.crossed import ScoreTable, contrast
from vitlab.stats.decision import Claim
from vitlab.stats.sign_flip import SignFlipTest

CORRELATIONS = (0.0, 0.5, 0.8)
SIZES = ((6, 1), (9, 7), (16, 7))  # seeds, comparisons: the fewest that can decide so many, and more
EFFECT = 2.0


def _drawn(row: Row, chances: Chances) -> list[ScoreTable]:
    """Normal runs of variance 1, of which the seeds, the same in all cells, explain `correlation`."""
    assert row.correlation is not None
    seeds = row.correlation**0.5 * chances.normal(size=row.seeds)
    own = (1 - row.correlation) ** 0.5 * chances.normal(size=(1 + row.comparisons, row.seeds))
    own[1] += row.effect or 0.0
    return [ScoreTable(seeds + each) for each in own]


def _paired(baseline: ScoreTable, cells: list[ScoreTable]) -> list[bool]:
    """What vitlab decides of a study that is paired by its plan."""
    claims = {}
    for place, cell in enumerate(cells):
        differences = np.asarray(cell.runs - baseline.runs)
        estimate = contrast([ScoreTable(differences)], [1.0])
        claims[str(place)] = Claim(estimate, VerdictOnly(SignFlipTest(differences)))
    return list(decided(claims).values())


def _study(row: Row, chances: Chances) -> dict[str, bool]:
    """Whether the cell that differs is found; any, where none does."""
    baseline, *cells = _drawn(row, chances)
    methods = {"decision, paired": _paired, "decision, unpaired": decision, "paired t": paired_t}
    found = {name: finds(baseline, cells) for name, finds in methods.items()}
    return {name: each[0] if row.effect else any(each) for name, each in found.items()}


def _asked(row: Mapping[str, Any], chance: float) -> str:
    return "" if row["effect"] else share_of_false(row, "decision, paired", chance)


PAIRING = Kind(
    title="share of paired studies that find the cell which differs; with an effect of 0, any",
    told_by=("effect", "correlation", "seeds", "comparisons"),
    rows=tuple(
        Row("pairing", "normal", seeds, comparisons, seeds, None, effect, correlation)
        for effect, correlation, (seeds, comparisons) in product((0.0, EFFECT), CORRELATIONS, SIZES)
    ),
    study=_study,
    asked=_asked,
)
