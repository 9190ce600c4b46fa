"""Two factors of two levels each: comparisons, main effects and the interaction are decided together."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np

from vitlab.bench.simulations.laws import ALIKE, LAWS, LEVEL, PICTURES, Chances, PictureLaw
from vitlab.bench.simulations.methods import by_holm, claim, compared, decided, mean_p
from vitlab.bench.simulations.row import Kind, Row, baseline_seeds, share_of_false
from vitlab.stats.crossed import Estimate, ScoreTable, contrast
from vitlab.stats.decision import Claim
from vitlab.stats.factorial import Combination, Effect, effects
from vitlab.stats.permutation import Stratum

COMPARISONS = 3
MAIN_EFFECT, INTERACTION = "main effect", "interaction"

Cells = dict[Combination, ScoreTable]  # the baseline first

EFFECTS = tuple(effects({"first": ("a", "b"), "second": ("a", "b")}))
CELLS: tuple[Combination, ...] = (("a", "a"), ("b", "a"), ("a", "b"), ("b", "b"))
_DIFFER: Mapping[str, tuple[Combination, ...]] = {  # the cells that are better where there is such an effect, alone
    MAIN_EFFECT: (("b", "a"), ("b", "b")),
    INTERACTION: (("b", "b"),),
}


def effect_named(name: str) -> Effect:
    """The main effect of the first factor, or the interaction."""
    return EFFECTS[0] if name == MAIN_EFFECT else EFFECTS[-1]


def estimate_of(effect: Effect, cells: Cells) -> Estimate:
    """The contrast of the cells' scores."""
    return contrast([cells[cell] for cell in effect.weights], list(effect.weights.values()))


def drawn_hits(row: Row, chances: Chances, law: PictureLaw, levels: Mapping[Combination, float]) -> Cells:
    """Hits on pictures, every cell at its level."""
    assert row.pictures is not None
    shared = law.shared_pictures(chances, row.pictures)
    hits = {cell: law.hits(chances, _seeds(row, cell), shared, levels[cell]) for cell in CELLS}
    return {cell: ScoreTable(each.mean(axis=1), each) for cell, each in hits.items()}


def _seeds(row: Row, cell: Combination) -> int:
    return row.baseline_seeds if cell == CELLS[0] else row.seeds


def _drawn_runs(row: Row, chances: Chances) -> Cells:
    law = next(law for law in LAWS if law.name == row.law)
    return {cell: ScoreTable(law.cell(chances, _seeds(row, cell))) for cell in CELLS}


# -------------------------------------------------------------------------------------------------------- the verdicts


def _decision(cells: Cells) -> dict[str, bool]:
    """One correction over all claims."""
    baseline, *others = cells.values()
    claims = {f"comparison {place}": compared(cell, baseline) for place, cell in enumerate(others)}
    return decided(claims | {_called(effect): _claimed(effect, cells) for effect in EFFECTS})


def _claimed(effect: Effect, cells: Cells) -> Claim:
    strata = [Stratum(cells[one].runs, cells[other].runs) for one, other in effect.exchangeable]
    return claim(estimate_of(effect, cells), strata)


def _two_families(cells: Cells) -> dict[str, bool]:
    """The first vitlab's: paired t tests, with a correction of the comparisons, and another of the effects."""
    fewest = min(table.n for table in cells.values())
    runs = {cell: table.runs[:fewest] for cell, table in cells.items()}
    baseline, *others = runs.values()
    compared = by_holm([mean_p(each - baseline) for each in others])
    moved = [sum((w * runs[cell] for cell, w in effect.weights.items()), np.zeros(fewest)) for effect in EFFECTS]
    found = {f"comparison {place}": rejected for place, rejected in enumerate(compared)}
    return found | dict(zip(map(_called, EFFECTS), by_holm([mean_p(each) for each in moved]), strict=True))


def _called(effect: Effect) -> str:
    return " × ".join(effect.factors)


METHODS: Mapping[str, Callable[[Cells], dict[str, bool]]] = {
    "decision": _decision,
    "paired t, two corrections": _two_families,
}


def _errs(row: Row, chances: Chances) -> dict[str, bool]:
    if row.pictures:
        cells = drawn_hits(row, chances, PictureLaw(), dict.fromkeys(CELLS, LEVEL))
    else:
        cells = _drawn_runs(row, chances)
    return {name: any(finds(cells).values()) for name, finds in METHODS.items()}


def _errs_too_often(row: Mapping[str, Any], chance: float) -> str:
    return share_of_false(row, "decision", chance)


ERROR = Kind(
    title="share of two-by-two factorials with a false verdict",
    told_by=("law", "pictures", "seeds", "baseline_seeds"),
    rows=(
        *(
            Row("factorial", law.name, seeds, COMPARISONS, baseline_seeds(seeds, COMPARISONS))
            for law, seeds in product(LAWS, (3, 6))
            if law.equal
        ),
        *(
            Row("factorial", PICTURES, 6, COMPARISONS, baseline_seeds(6, COMPARISONS), pictures)
            for pictures in (360, 10_000)
        ),
    ),
    study=_errs,
    asked=_errs_too_often,
)


def _finds(row: Row, chances: Chances) -> dict[str, bool]:
    """Whether the one effect that there is gets a verdict."""
    assert row.pictures is not None
    assert row.contrast is not None
    law = PictureLaw.named(row.law)
    better = law.level_of(law.mean(LEVEL) + (row.effect or 0.0) * law.run_std(LEVEL, row.pictures))
    cells = drawn_hits(row, chances, law, {cell: better if cell in _DIFFER[row.contrast] else LEVEL for cell in CELLS})
    name = _called(effect_named(row.contrast))
    return {method: finds(cells)[name] for method, finds in METHODS.items()}


def _finds_too_seldom(row: Mapping[str, Any], chance: float) -> str:
    found, least = row["decision"], row["paired t, two corrections"]
    large = (
        row["law"] == ALIKE and row["effect"] >= 3.0
    )  # with smaller ones six seeds decide little, and a second family less strictly
    return f"decision finds {found:.3f}, and should {least:.3f}" if large and found < least - chance * 0.5 else ""


POWER = Kind(
    title="share of two-by-two factorials that find an effect",
    told_by=("contrast", "law", "effect", "pictures", "seeds", "baseline_seeds"),
    rows=tuple(
        Row(
            "factorial_power",
            law,
            6,
            COMPARISONS,
            baseline_seeds(6, COMPARISONS),
            10_000,
            effect,
            None,
            contrasted,
        )
        for contrasted, law, effect in product((MAIN_EFFECT, INTERACTION), (ALIKE, PICTURES), (2.0, 3.0, 4.0))
    ),
    study=_finds,
    asked=_finds_too_seldom,
)
