"""How often the verdicts of studies err, how much they see, and what their intervals cover: by simulation.

    error       the share of studies with one false "worse" or "better" or more, though all means are equal
    power       the share of studies that find a cell which differs
    coverage    the share of 95 % intervals that hold the value over all seeds and pictures

Every row simulates so many studies, each with a baseline of as many seeds as a plan gives it. Beside the tests that
decide (`vitlab.stats.decision`) stand those that they were chosen over: the paired t of the first vitlab, Welch's t,
both with Holm's correction, and Dunnett's T3 (1980). What a row draws follows from what it is, so that rows can be run
in any order, side by side, and again; those of one size share their chances.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import product
from math import ceil, sqrt
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from vitlab.base.env import environment
from vitlab.base.files import append_line, read_lines
from vitlab.base.going_on import Say, unsaid
from vitlab.bench.laws import LAWS, LEVEL, PictureLaw
from vitlab.stats.corrections import holm
from vitlab.stats.crossed import Estimate, ScoreTable, contrast, two_sided_t
from vitlab.stats.decision import ALPHA, Claim, RunTest, decide
from vitlab.stats.permutation import PermutationTest, Stratum

METHODS = ("decision", "paired t", "Welch", "Dunnett T3")
SEEDS, COMPARISONS, PICTURES = (3, 4, 6, 16), (1, 7, 20), (360, 1_000, 10_000)
MOST = 120  # seeds times comparisons: beyond that a row takes an hour
EFFECTS = (1.0, 2.0, 3.0, 4.0, 6.0)  # in standard deviations of runs
LOWEST, HIGHEST = 0.93, 0.98  # what 95 % intervals are to cover

_THREADS = "OPENBLAS_NUM_THREADS"

Scores = list[ScoreTable]  # of a study: the baseline's first


@dataclass(frozen=True)
class Row:
    """A kind of study."""

    kind: str  # "error", "power" or "coverage"
    law: str
    seeds: int
    comparisons: int
    baseline_seeds: int
    pictures: int | None = None
    effect: float | None = None


def rows() -> list[Row]:
    """All rows of the table, those that take the longest first."""
    errors = [
        Row("error", law.name, seeds, comparisons, _of_baseline(seeds, comparisons))
        for law, seeds, comparisons in product(LAWS, SEEDS, COMPARISONS)
        if seeds * comparisons <= MOST
    ]
    on_pictures = [Row("error", "pictures", 6, 7, _of_baseline(6, 7), pictures) for pictures in PICTURES]
    powers = [
        Row("power", "pictures", 6, 7, baseline, PICTURES[-1], effect)
        for effect, baseline in product(EFFECTS, (6, _of_baseline(6, 7)))
    ]
    coverages = [Row("coverage", "pictures", seeds, 1, seeds, p) for seeds, p in product((3, 6), PICTURES)]
    return [*powers[::-1], *on_pictures[::-1], *coverages[::-1], *errors[::-1]]


def _of_baseline(seeds: int, comparisons: int) -> int:
    return ceil(sqrt(comparisons) * seeds)


def bench_statistics(
    studies: int, only: Sequence[str] = (), jobs: int = 1, kept: Path | None = None, say: Say = unsaid
) -> dict[str, Any]:
    """Simulate every row of the kinds `only`, or of all; the figures as plain values. Rows that are done are added to
    the file `kept`, and not simulated again from there.
    """
    chosen = [row for row in rows() if not only or row.kind in only]
    lines = read_lines(kept) if kept else []
    done = {_named(line): line for line in lines if line.pop("studies") == studies}
    missing = [row for row in chosen if _named(_plain(row)) not in done]
    with _one_thread_each(), ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        waiting = {pool.submit(simulated, row, studies): row for row in missing}
        for ended in as_completed(waiting):
            line = {**_plain(waiting[ended]), **ended.result()}
            done[_named(line)] = line
            if kept:
                append_line(kept, {"studies": studies, **line})
            say(f"{len(done)} of {len(chosen)} kinds of study")
    in_order = [done[_named(_plain(row))] for row in reversed(chosen)]
    return {"studies": studies, "alpha": ALPHA, "rows": in_order, "env": environment()}


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """While the block starts processes, let each compute by one thread: small products of matrices in two processes of
    two threads on two cores take twenty times as long.
    """
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        del os.environ[_THREADS]
        if before is not None:
            os.environ[_THREADS] = before


def _plain(row: Row) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if value is not None}


def _named(line: Mapping[str, Any]) -> str:
    """What kind of study a line is of."""
    return json.dumps([line.get(field.name) for field in fields(Row)])


def simulated(row: Row, studies: int) -> dict[str, Any]:
    """What a row's studies give, by method."""
    which = [row.seeds, row.comparisons, row.pictures or 0]
    chances = np.random.default_rng([*row.kind.encode(), *row.law.encode(), *which])
    if row.kind == "coverage":
        return _coverage(row, studies, chances)
    return _found(row, studies, chances)


# ------------------------------------------------------------------------------------------------------- error, power


def _found(row: Row, studies: int, chances: np.random.Generator) -> dict[str, Any]:
    """The share of studies in which each method finds the first cell, or, where there is none to find, any."""
    draw = _drawn_runs if row.pictures is None else _drawn_pictures
    found: dict[str, list[bool]] = {method: [] for method in METHODS}
    for _ in range(studies):
        baseline, *cells = draw(row, chances)
        for method in METHODS:
            rejected = FINDS[method](baseline, cells)
            found[method].append(rejected[0] if row.effect else any(rejected))
    return {method: float(np.mean(each)) for method, each in found.items()}


def _drawn_runs(row: Row, chances: np.random.Generator) -> Scores:
    law = next(law for law in LAWS if law.name == row.law)
    cells = [law.cell(chances, row.seeds) for _ in range(row.comparisons)]
    return [ScoreTable(law.baseline(chances, row.baseline_seeds)), *map(ScoreTable, cells)]


def _drawn_pictures(row: Row, chances: np.random.Generator) -> Scores:
    """Cells of equal means over all pictures; or one that is better by `effect` runs' standard deviations, where
    pictures are as easy for all cells, so that the effect is in units of what seeds and chance alone vary.
    """
    assert row.pictures is not None
    law = PictureLaw(own=0.0) if row.effect else PictureLaw()
    better = law.mean(LEVEL) + (row.effect or 0.0) * law.run_std(LEVEL, row.pictures)
    shared = law.shared_pictures(chances, row.pictures)
    levels = [LEVEL, law.level_of(better), *[LEVEL] * (row.comparisons - 1)]
    counts = [row.baseline_seeds, *[row.seeds] * row.comparisons]
    hits = [law.hits(chances, n, shared, level) for n, level in zip(counts, levels, strict=True)]
    return [ScoreTable(each.mean(axis=1), each) for each in hits]


class _VerdictOnly:
    """A test over runs without its inversion: a simulated study needs no intervals."""

    def __init__(self, test: RunTest):
        self.test, self.smallest_p = test, test.smallest_p

    def p(self, shift: float = 0.0) -> float:
        """As the test says."""
        return self.test.p(shift)

    def ends(self, alpha: float, scale: float) -> None:
        """None are needed."""


def _decision(baseline: ScoreTable, cells: Scores) -> list[bool]:
    """What vitlab decides. The test over runs is left out where the other has decided against a verdict already."""
    claims = {}
    for name, cell in enumerate(cells):
        estimate = contrast([cell, baseline], [1.0, -1.0])
        near = estimate.error is not None and (estimate.p() or 0.0) <= ALPHA
        test = _VerdictOnly(PermutationTest([Stratum(cell.runs, baseline.runs)])) if near else None
        claims[str(name)] = Claim(estimate, test)
    return [each.verdict in ("worse", "better") for each in decide(claims, better="higher").values()]


def _paired_t(baseline: ScoreTable, cells: Scores) -> list[bool]:
    differences = [ScoreTable(cell.runs - baseline.runs[: cell.n]) for cell in cells]
    return _by_holm([p if (p := contrast([each], [1.0]).p()) is not None else 1.0 for each in differences])


def _welch(baseline: ScoreTable, cells: Scores) -> list[bool]:
    return _by_holm([two_sided_t(*_welch_t(cell, baseline)) for cell in cells])


def _by_holm(p_values: Sequence[float]) -> list[bool]:
    return [p is not None and p <= ALPHA for p in holm(p_values)]


def _welch_t(cell: ScoreTable, baseline: ScoreTable) -> tuple[float, float]:
    """t and its degrees of freedom."""
    parts = [(table.run_variance or 0.0) / table.n for table in (cell, baseline)]
    if sum(parts) == 0:
        return (0.0 if cell.mean == baseline.mean else np.inf), 1.0
    freedom = sum(parts) ** 2 / sum(
        part**2 / (table.n - 1) for part, table in zip(parts, (cell, baseline), strict=True)
    )
    return abs(cell.mean - baseline.mean) / sum(parts) ** 0.5, freedom


_MIDDLES = (np.arange(200) + 0.5) / 200


def _dunnett_t3(baseline: ScoreTable, cells: Scores) -> list[bool]:
    """By the studentised maximum modulus of as many independent comparisons, with Welch's degrees of freedom."""
    rejected = []
    for cell in cells:
        t, freedom = _welch_t(cell, baseline)
        spreads = np.sqrt(2 * special.gammaincinv(freedom / 2, _MIDDLES) / freedom)
        below = np.mean((2 * special.ndtr(t * spreads) - 1) ** len(cells))
        rejected.append(bool(1 - below <= ALPHA))
    return rejected


FINDS: Mapping[str, Callable[[ScoreTable, Scores], list[bool]]] = {
    "decision": _decision,
    "paired t": _paired_t,
    "Welch": _welch,
    "Dunnett T3": _dunnett_t3,
}


# ----------------------------------------------------------------------------------------------------------- coverage


def _coverage(row: Row, studies: int, chances: np.random.Generator) -> dict[str, Any]:
    """The share of intervals that hold the true mean of a cell, and the true difference of two."""
    law, levels = PictureLaw(), (LEVEL, LEVEL + 0.1)
    means = [law.mean(level) for level in levels]
    true = {"mean": means[0], "difference": means[1] - means[0]}
    held: dict[str, list[bool]] = {}
    for _ in range(studies):
        assert row.pictures is not None
        shared = law.shared_pictures(chances, row.pictures)
        hits = [law.hits(chances, row.seeds, shared, level) for level in levels]
        one, other = (ScoreTable(each.mean(axis=1), each) for each in hits)
        estimates = {"mean": contrast([one], [1.0]), "difference": contrast([other, one], [1.0, -1.0])}
        for what, estimate in estimates.items():
            for how, (low, high) in _intervals(estimate):
                held.setdefault(f"{what}, {how}", []).append(low <= true[what] <= high)
    return {name: float(np.mean(each)) for name, each in held.items()}


def _intervals(estimate: Estimate) -> Iterator[tuple[str, tuple[float, float]]]:
    """Those of vitlab, those over seeds alone, and those with Satterthwaite's degrees of freedom."""
    value, error = estimate.value or 0.0, estimate.error or 0.0
    crossed, seeds = estimate.interval(), estimate.interval_over_seeds()
    yield "crossed", (crossed.low, crossed.high) if crossed else (value, value)
    yield "seeds alone", (seeds.low, seeds.high) if seeds else (value, value)
    if estimate.parts:
        squares = sum(part.variance**2 / part.df for part in estimate.parts)
        half = float(stats.t.ppf(0.975, error**4 / squares)) * error
        yield "Satterthwaite", (value - half, value + half)


# -------------------------------------------------------------------------------------------------- what is asked for


def _least_power(row: Mapping[str, Any]) -> float:
    planned = row["paired t"] if row["baseline_seeds"] > row["seeds"] else 0.0
    return max(planned, 0.74 if row["effect"] == 3.0 else 0.0)


def broken(figures: Mapping[str, Any]) -> list[str]:
    """Where the figures are not what is asked for: errors of at most .06 where laws are equal; a power of .74 at three
    standard deviations, and with the seeds that a plan gives no less than the paired t; coverage of 93 to 98 %. More
    than chance allows with so many studies, at three standard errors.
    """
    chance = 3 / figures["studies"] ** 0.5
    told = []
    equal = {law.name for law in LAWS if law.equal} | {"pictures"}
    for row in figures["rows"]:
        called = f"{row['kind']}, {row['law']}, {row['seeds']} seeds, {row['comparisons']} comparisons"
        if row["kind"] == "error" and row["law"] in equal and row["decision"] > 0.06 + chance * 0.06**0.5:
            told.append(f"{called}: {row['decision']:.3f}")
        if row["kind"] == "power" and row["decision"] < _least_power(row) - chance * 0.5:
            told.append(f"{called}: {row['decision']:.3f}, the paired t {row['paired t']:.3f}")
        if row["kind"] == "coverage":
            allowed = chance * 0.05**0.5
            for what in ("mean, crossed", "difference, crossed"):
                if not LOWEST - allowed <= row[what] <= HIGHEST + allowed:
                    told.append(f"{called}, {row['pictures']} pictures: {what} {row[what]:.3f}")
    return told
