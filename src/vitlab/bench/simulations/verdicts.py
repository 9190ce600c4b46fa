"""Several cells beside a baseline: how often a verdict is false where all means are equal, and what it finds."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from vitlab.bench.simulations.laws import ALIKE, LAWS, LEVEL, PICTURES, Chances, PictureLaw
from vitlab.bench.simulations.methods import METHODS
from vitlab.bench.simulations.row import Kind, Row, Scores, baseline_seeds, share_of_false
from vitlab.stats.crossed import ScoreTable

SEEDS, COMPARISONS, SIZES = (3, 4, 6, 16), (1, 7, 20), (360, 1_000, 10_000)  # sizes of a test set
MOST = 120  # seeds times comparisons: beyond that a row takes an hour
EFFECTS = (1.0, 2.0, 3.0, 4.0, 6.0)
LEAST_POWER = {3.0: 0.74}  # of the first vitlab, by the effect

_TOLD_BY = ("pictures", "seeds", "baseline_seeds", "comparisons")


def drawn_runs(row: Row, chances: Chances) -> Scores:
    """Scores of runs, pictures without end."""
    law = next(law for law in LAWS if law.name == row.law)
    cells = [law.cell(chances, row.seeds) for _ in range(row.comparisons)]
    return [ScoreTable(law.baseline(chances, row.baseline_seeds)), *map(ScoreTable, cells)]


def drawn_pictures(row: Row, chances: Chances, effect: float = 0.0) -> Scores:
    """Hits on pictures; the first cell is better than all others by `effect` standard deviations of runs."""
    assert row.pictures is not None
    law = PictureLaw.named(row.law)
    better = law.level_of(law.mean(LEVEL) + effect * law.run_std(LEVEL, row.pictures)) if effect else LEVEL
    shared = law.shared_pictures(chances, row.pictures)
    levels = [LEVEL, better, *[LEVEL] * (row.comparisons - 1)]
    counts = [row.baseline_seeds, *[row.seeds] * row.comparisons]
    hits = [law.hits(chances, n, shared, level) for n, level in zip(counts, levels, strict=True)]
    return [ScoreTable(each.mean(axis=1), each) for each in hits]


def _errs(row: Row, chances: Chances) -> dict[str, bool]:
    """Whether any cell gets a verdict."""
    scores = drawn_pictures(row, chances) if row.pictures else drawn_runs(row, chances)
    return {name: any(finds(scores[0], scores[1:])) for name, finds in METHODS.items()}


def _errs_too_often(row: Mapping[str, Any], chance: float) -> str:
    equal = {law.name for law in LAWS if law.equal} | {PICTURES}
    return share_of_false(row, "decision", chance) if row["law"] in equal else ""


ERROR = Kind(
    title="share with a false verdict",
    told_by=("law", *_TOLD_BY),
    rows=(
        *(
            Row("error", law.name, seeds, comparisons, baseline_seeds(seeds, comparisons))
            for law, seeds, comparisons in product(LAWS, SEEDS, COMPARISONS)
            if seeds * comparisons <= MOST
        ),
        *(Row("error", PICTURES, 6, 7, baseline_seeds(6, 7), size) for size in SIZES),
    ),
    study=_errs,
    asked=_errs_too_often,
)


def _finds(row: Row, chances: Chances) -> dict[str, bool]:
    """Whether the cell that differs gets a verdict. Where pictures are as hard for all cells, the effect is in units of
    all that varies; where each cell finds others hard, what the pictures vary comes on top.
    """
    baseline, *cells = drawn_pictures(row, chances, row.effect or 0.0)
    return {name: finds(baseline, cells)[0] for name, finds in METHODS.items()}


def _finds_too_seldom(row: Mapping[str, Any], chance: float) -> str:
    """With the seeds that a plan gives no less than the paired t, unless that finds chance of the pictures, too."""
    if row["law"] != ALIKE:
        return ""
    planned = row["paired t"] if row["baseline_seeds"] > row["seeds"] else 0.0
    least, found = max(planned, LEAST_POWER.get(row["effect"], 0.0)), row["decision"]
    return f"decision finds {found:.3f}, and should {least:.3f}" if found < least - chance * 0.5 else ""


POWER = Kind(
    title="share that finds a cell which differs",
    told_by=("law", "effect", *_TOLD_BY),
    rows=(
        *(
            Row("power", ALIKE, 6, 7, baseline, SIZES[-1], effect)
            for effect, baseline in product(EFFECTS, (6, baseline_seeds(6, 7)))
        ),
        *(
            Row("power", PICTURES, 6, 7, baseline_seeds(6, 7), size, effect)
            for effect, size in product((2.0, 3.0, 4.0), SIZES)
        ),
    ),
    study=_finds,
    asked=_finds_too_seldom,
)
