"""Outcomes made by hand, with the numbers that a test wants in a sentence."""

from typing import Any

from vitlab.models.spec import ViTSpec
from vitlab.records.outcome import CellOutcome, ComparisonOutcome, EffectOutcome, Outcome, RunOutcome
from vitlab.stats.decision import Decision, Verdict
from vitlab.stats.describe import Description
from vitlab.stats.intervals import Interval
from vitlab.tasks import classify

METRICS = {
    f"{split}_{metric.name}": metric
    for split in ("train", "val", "test")
    for metric in classify.Spec().metrics(ViTSpec())
}
SEEDS = (0, 1, 2, 3, 4, 5)
COSTS = {
    "num_params": 1000.0,
    "flops": 2e6,
    "seconds_per_image": 1e-4,
    "seconds_per_step": 0.01,
    "activation_bytes": 4096.0,
}


def t(low: float, high: float) -> Interval:
    return Interval(low, high, 0.95, "t")


def cell(
    name: str,
    mean: float | None = 0.9,
    interval: Interval | None = t(0.89, 0.91),
    against: str | None = "baseline",
    scores: tuple[float, ...] = (),
    **changes: Any,
) -> CellOutcome:
    """A cell whose runs score `scores`, or all `mean`."""
    values = scores or (() if mean is None else (mean,) * len(SEEDS))
    runs = tuple(
        RunOutcome(seed, f"runs/{name}/seed-{seed}", "finished", None, {"test_top1": values[seed]})
        if seed < len(values)
        else RunOutcome(seed, f"runs/{name}/seed-{seed}", None, None, {})
        for seed in SEEDS
    )
    given: dict[str, Any] = {
        "name": name,
        "says": "",
        "levels": {},
        "settings": {},
        "against": against,
        "spec": {},
        "costs": COSTS,
        "ratios": {},
        "tuned": None,
        "runs": runs,
        "images": 360,
        "score": description(len(values), mean, interval),
    }
    return CellOutcome(**given | changes)


def description(n: int, mean: float | None, interval: Interval | None) -> Description:
    if mean is None:
        names = ("mean", "std", "median", "lowest", "highest", "seed_error", "picture_error", "interval")
        return Description(0, reasons=dict.fromkeys((*names, "seed_interval"), "no value"))
    narrow = interval and Interval(mean - 0.004, mean + 0.004, 0.95, "t")
    why = {} if interval else dict.fromkeys(("interval", "seed_interval"), f"all {n} values are the same")
    return Description(n, mean, 0.01, mean + 0.001, mean - 0.02, mean + 0.02, 0.004, 0.0105, interval, narrow, why)


def decision(
    value: float | None, interval: Interval | None, verdict: Verdict | None, why: str = "cell: 1 run has no spread"
) -> Decision:
    """`interval` is the quoted one; the others are narrower."""
    if value is None or interval is None:
        names = ("seed_error", "picture_error", "error", "interval", "seed_interval", "p_runs", "p_crossed", "p_holm")
        lacking = (*names, "verdict", "quoted", "probably_missed", *(["value"] if value is None else []))
        return Decision(value, None, None, None, None, None, reasons=dict.fromkeys(lacking, why))
    half = (interval.high - interval.low) / 2
    return Decision(
        value=value,
        seed_error=0.004,
        picture_error=0.0123,
        error=0.0129,
        interval=t(value - 0.8 * half, value + 0.8 * half),
        seed_interval=t(value - 0.5 * half, value + 0.5 * half),
        p_runs=0.0123,
        p_crossed=0.0004,
        p_holm=0.4 if verdict == "not distinguishable" else 0.0246,
        verdict=verdict,
        quoted=interval,
        probably_missed=half,
        reasons={} if verdict else {"verdict": why},
    )


def comparison(
    name: str,
    says: str,
    mean: float | None,
    interval: Interval | None,
    verdict: Verdict | None,
    *,
    against: str = "baseline",
    seeds_needed: int | None = None,
    **more: Any,
) -> ComparisonOutcome:
    known = mean is not None and interval is not None
    lacking = {} if known else dict.fromkeys(("correlation", "in_run_stds"), "1 value has no spread")
    return ComparisonOutcome(
        name,
        against,
        says,
        decision(mean, interval, verdict, **more),
        -0.25 if known else None,
        -3.0 if known else None,
        seeds_needed,
        lacking | ({} if seeds_needed else {"seeds_needed": "it does not lean"}),
    )


def effect(
    factors: tuple[str, ...],
    levels: tuple[str, ...],
    references: tuple[str, ...],
    *decided: Any,
    seeds_needed: int | None = None,
) -> EffectOutcome:
    reasons = {} if seeds_needed else {"seeds_needed": "it does not lean"}
    return EffectOutcome(factors, levels, references, decision(*decided), seeds_needed, reasons)


def outcome(*comparisons: ComparisonOutcome, **changes: Any) -> Outcome:
    cells = (
        cell("baseline", 0.961, t(0.952, 0.970), None),
        *(cell(each.cell, settings={"changes": each.says}) for each in comparisons),
    )
    given: dict[str, Any] = {
        "id": "0a1b2c3d4e5f",
        "question": "What does it do?",
        "design": "one_at_a_time",
        "metric": "test_top1",
        "better": "higher",
        "equal": "steps",
        "seeds": SEEDS,
        "images": 360,
        "cells": cells,
        "comparisons": comparisons,
        "effects": (),
        "fronts": {},
        "missing": (),
        "metrics": METRICS,
        "no_pictures": "",
        "verdicts": True,
        "worth": None,
        "paired": False,
        "paired_for": None,
        "looks": (),
        "busy": 1.0,
    }
    return Outcome(**given | changes)
