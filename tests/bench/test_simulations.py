"""Simulated studies draw what they say."""

import numpy as np
import pytest

from vitlab.bench.simulations.coverage import CONTRASTS, COVERAGE, bootstrap_error
from vitlab.bench.simulations.factorial import (
    CELLS,
    EFFECTS,
    INTERACTION,
    MAIN_EFFECT,
    drawn_hits,
    effect_named,
    estimate_of,
)
from vitlab.bench.simulations.laws import LEVEL, PictureLaw
from vitlab.bench.simulations.pairing import PAIRING
from vitlab.bench.simulations.row import Row, baseline_seeds
from vitlab.stats.crossed import ScoreTable


def test_a_factorials_effects_are_those_of_its_cells():
    cells = {cell: ScoreTable([mean, mean]) for cell, mean in zip(CELLS, (1.0, 2.0, 4.0, 9.0), strict=True)}
    assert len(EFFECTS) == 3
    assert estimate_of(effect_named(MAIN_EFFECT), cells).value == (2 + 9) / 2 - (1 + 4) / 2
    assert estimate_of(effect_named(INTERACTION), cells).value == (9 - 4) - (2 - 1)


def test_cells_of_a_factorial_have_their_seeds_and_levels():
    row = Row("factorial", "pictures", 3, 3, 6, 4_000)
    levels = dict.fromkeys(CELLS, LEVEL) | {CELLS[1]: LEVEL + 2}
    cells = drawn_hits(row, np.random.default_rng(0), PictureLaw(), levels)
    assert [cells[cell].n for cell in CELLS] == [6, 3, 3, 3]
    law = PictureLaw()
    for cell in CELLS:
        assert cells[cell].mean == pytest.approx(law.mean(levels[cell]), abs=0.03)


def test_seeds_correlate_as_a_paired_study_says():
    row = next(row for row in PAIRING.rows if row.correlation == 0.8 and row.seeds == 16 and row.effect)
    found = [PAIRING.study(row, np.random.default_rng(seed)) for seed in range(20)]
    assert all(each["decision, paired"] for each in found)
    few = [row for row in PAIRING.rows if row.correlation == 0.0 and row.seeds == 6 and row.effect == 2.0]
    chances = np.random.default_rng(1)
    each = [PAIRING.study(few[0], chances) for _ in range(150)]
    paired, unpaired = (np.mean([one[name] for one in each]) for name in ("decision, paired", "decision, unpaired"))
    assert unpaired > paired + 0.05  # what pairing costs where nothing correlates


def test_coverage_has_every_contrast_number_of_seeds_and_pictures():
    assert {row.contrast for row in COVERAGE.rows} == set(CONTRASTS)
    assert len(COVERAGE.rows) == len(CONTRASTS) * 2 * 2 * 3
    found = COVERAGE.study(COVERAGE.rows[0], np.random.default_rng(0))
    assert list(found) == ["crossed", "seeds alone", "Satterthwaite", "Cochran and Cox", "crossed bootstrap"]


def test_a_plan_gives_the_baseline_more_seeds():
    assert (baseline_seeds(6, 1), baseline_seeds(6, 7), baseline_seeds(3, 3)) == (6, 16, 6)


def test_the_bootstraps_error_is_what_resampling_gives():
    chances = np.random.default_rng(0)
    scores = [chances.normal(size=(n, 30)) + chances.normal(size=30) + chances.normal(size=(n, 1)) for n in (4, 3)]
    tables, weights = [ScoreTable(each.mean(axis=1), each) for each in scores], [1.0, -1.0]
    drawn = []
    for _ in range(20_000):
        pictures = chances.integers(30, size=30)
        means = [each[chances.integers(len(each), size=len(each))][:, pictures].mean() for each in scores]
        drawn.append(means[0] - means[1])
    assert bootstrap_error(tables, weights) == pytest.approx(np.std(drawn), rel=0.02)
