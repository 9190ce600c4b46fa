"""No difference worth having: how often it is said, of differences that are and that are not worth having."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from vitlab.bench.simulations.laws import ALIKE, LEVEL, PICTURES, Chances, PictureLaw
from vitlab.bench.simulations.row import Kind, Row, baseline_seeds, share_of_false
from vitlab.bench.simulations.verdicts import drawn_pictures
from vitlab.stats.crossed import ScoreTable, contrast
from vitlab.stats.decision import ALPHA, Claim, decide
from vitlab.stats.permutation import PermutationTest, Stratum

WORTH = 3.0  # standard deviations of runs


def _study(row: Row, chances: Chances) -> dict[str, bool]:
    """Whether it is said of the first cell: by the decision, and by who takes "not significant" for "equal"."""
    assert row.pictures is not None
    worth = WORTH * PictureLaw.named(row.law).run_std(LEVEL, row.pictures)
    baseline, *cells = drawn_pictures(row, chances, WORTH * (row.effect or 0.0))
    found = decide(
        {str(place): _claim(cell, baseline) for place, cell in enumerate(cells)}, better="higher", worth=worth
    )
    alone = contrast([cells[0], baseline], [1.0, -1.0]).p() or 0.0
    return {"decision": found["0"].verdict == "no difference worth having", "p > .05": alone > ALPHA}


def _claim(cell: ScoreTable, baseline: ScoreTable) -> Claim:
    return Claim(contrast([cell, baseline], [1.0, -1.0]), PermutationTest([Stratum(cell.runs, baseline.runs)]))


def _asked(row: Mapping[str, Any], chance: float) -> str:
    return share_of_false(row, "decision", chance) if row["effect"] >= 1.0 else ""


EQUIVALENCE = Kind(
    title="share that says of a difference that it is not worth having; from 1.0 on it is",
    told_by=("law", "effect", "pictures", "seeds", "baseline_seeds", "comparisons"),
    rows=tuple(
        Row("equivalence", law, seeds, 3, baseline_seeds(seeds, 3), pictures, effect)
        for law, effect, seeds, pictures in product((ALIKE, PICTURES), (0.0, 0.5, 1.0), (4, 6), (360, 10_000))
    ),
    study=_study,
    asked=_asked,
)
