"""`vitlab bench statistics`: simulated studies, and what is asked of their verdicts and intervals.

Every row of every table (`vitlab.bench.simulations`) simulates so many studies. What a row draws follows from what it
is, so that rows can be run in any order, side by side, and again; those of one size share their chances.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from vitlab.base.env import environment
from vitlab.base.files import append_line, read_lines
from vitlab.base.going_on import Say, unsaid
from vitlab.bench.simulations import KINDS
from vitlab.bench.simulations.row import Row
from vitlab.stats.decision import ALPHA

_THREADS = "OPENBLAS_NUM_THREADS"
_CHANCE = 3.0  # standard errors that a share may be off


def rows(only: Sequence[str] = ()) -> list[Row]:
    """Those of the kinds `only`, or of all."""
    return [row for name, kind in KINDS.items() if not only or name in only for row in kind.rows]


def bench_statistics(
    studies: int, only: Sequence[str] = (), jobs: int = 1, kept: Path | None = None, say: Say = unsaid
) -> dict[str, Any]:
    """Simulate the rows; the figures as plain values. Rows that are done are added to the file `kept`, and not
    simulated again from there.
    """
    chosen = rows(only)
    asked = {_named(_plain(row)) for row in chosen}
    lines = read_lines(kept) if kept else []
    done = {_named(line): line for line in lines if line.pop("studies") == studies and _named(line) in asked}
    missing = [row for row in chosen if _named(_plain(row)) not in done]
    with _one_thread_each(), ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        # Those with the most runs first, so that none is waited for alone
        missing.sort(key=lambda row: -row.seeds * row.comparisons)
        waiting = {pool.submit(simulated, row, studies): row for row in missing}
        for ended in as_completed(waiting):
            line = {**_plain(waiting[ended]), **ended.result()}
            done[_named(line)] = line
            if kept:
                append_line(kept, {"studies": studies, **line})
            say(f"{len(done)} of {len(chosen)} kinds of study")
    in_order = [done[_named(_plain(row))] for row in chosen]
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


def simulated(row: Row, studies: int) -> dict[str, float]:
    """The share of a row's studies that are counted, by method."""
    which = [row.seeds, row.comparisons, row.pictures or 0]
    chances = np.random.default_rng([*row.kind.encode(), *row.law.encode(), *which])
    study = KINDS[row.kind].study
    found = [study(row, chances) for _ in range(studies)]
    return {method: float(np.mean([each[method] for each in found])) for method in found[0]}


def broken(figures: Mapping[str, Any]) -> list[str]:
    """Where the figures are not what is asked for, by more than chance allows with so many studies: errors of at most
    .06 where laws are equal, power, coverage.
    """
    chance = _CHANCE / figures["studies"] ** 0.5
    told = []
    for row in figures["rows"]:
        if said := KINDS[row["kind"]].asked(row, chance):
            told.append(f"{', '.join(f'{name} {row[name]}' for name in row if name in _FIELDS)}: {said}")
    return told


_FIELDS = {field.name for field in fields(Row)}
