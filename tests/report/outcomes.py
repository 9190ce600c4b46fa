"""Outcomes made by hand, with the numbers that a test wants in a sentence."""

from typing import Any

from vitlab.models.spec import ViTSpec
from vitlab.records.outcome import CellOutcome, ComparisonOutcome, Outcome, RunOutcome
from vitlab.stats.decision import Comparison, Verdict
from vitlab.stats.describe import Description
from vitlab.stats.intervals import Interval
from vitlab.stats.paired import PairedDifference
from vitlab.stats.power import Sensitivity
from vitlab.stats.sign_flip import SignFlip
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
    reasons = {} if mean is not None else {"mean": "no value", "std": "no value", "t_interval": "no value"}
    given: dict[str, Any] = {
        "name": name,
        "says": "",
        "levels": {},
        "settings": {},
        "against": against,
        "spec": {},
        "costs": COSTS,
        "tuned": None,
        "runs": runs,
        "images": 360,
        "score": Description(len(values), mean, None if mean is None else 0.01, interval, None, reasons),
        "errors": None,
    }
    return CellOutcome(**given | changes)


def comparison(
    name: str,
    says: str,
    mean: float | None,
    interval: Interval | None,
    verdict: Verdict | None,
    smallest: float | None = 0.021,
    seeds: tuple[int, ...] = SEEDS,
    against: str = "baseline",
) -> ComparisonOutcome:
    why = {} if interval else dict.fromkeys(("mean", "std", "t_interval", "p", "t", "d_z"), "1 value has no spread")
    difference = PairedDifference(
        seeds=seeds,
        only_baseline=(),
        only_cell=(),
        mean=mean,
        std=None if interval is None else 0.01,
        t_interval=interval,
        bootstrap_interval=None,
        t=None if interval is None else 5.0,
        p=None if interval is None else 0.0123,
        sign_flip=SignFlip(0.03125, 0.03125, "exact"),
        correlation=None if interval is None else -0.25,
        d_z=None if interval is None else -2.0,
        in_run_stds=None if interval is None else -3.0,
        reasons=why | {"bootstrap_interval": "not asked for"},
    )
    p_holm = None if verdict is None else 0.4 if verdict == "not distinguishable" else 0.0246
    reasons = {} if verdict else {"p_holm": "1 value has no spread", "verdict": "1 value has no spread"}
    power = Sensitivity(smallest, 9, 0.025, 0.8, {} if smallest else {"smallest_effect": "no spread"})
    return ComparisonOutcome(name, against, says, Comparison(difference, p_holm, verdict, reasons), power, 0.0123)


def outcome(*comparisons: ComparisonOutcome, **changes: Any) -> Outcome:
    cells = (cell("baseline", 0.961, t(0.952, 0.970), None), *(cell(each.cell) for each in comparisons))
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
        "effects": None,
        "no_effects": None,
        "fronts": {},
        "missing": (),
        "metrics": METRICS,
    }
    return Outcome(**given | changes)
