"""The tables of a study: comparisons, cells, effects of a factorial, and how each cell was trained."""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import get_args

from vitlab.base.metric import Metric
from vitlab.base.options import Kernel
from vitlab.base.words import counted
from vitlab.records.execution import CellExecution
from vitlab.records.outcome import IN_TIME, CellOutcome, Outcome
from vitlab.report import wording
from vitlab.report.answers import ordered
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.units import Unit, unit_of, unit_of_study
from vitlab.stats.decision import Decision, Verdict
from vitlab.stats.intervals import Interval

MARKS: dict[Verdict | None, str] = {
    "worse": "worse",
    "better": "better",
    "not distinguishable": "same",
    "no difference worth having": "same",
    None: "missing",
}
COSTS: dict[str, tuple[str, str, Callable[[float], str]]] = {  # column, unit of an axis, how it is written
    "num_params": ("Parameters", "parameters", wording.count),
    "flops": ("FLOPs / image", "FLOPs of one image forward", wording.scaled),
    "seconds_per_image": ("µs / image", "µs of one image forward, in a batch", lambda s: f"{1e6 * s:,.0f}"),
    "seconds_per_step": ("ms / step", "ms of one training step, alone", lambda s: f"{1e3 * s:,.1f}"),
    "activation_bytes": ("Activations", "bytes of activations an image", wording.memory),
}


def p_value(p: float) -> str:
    """0.0312 -> '.031'; what is smaller than three decimals show says so."""
    if p < 0.0005:
        return "< .001"
    return f"{p:.3f}".removeprefix("0")


# -------------------------------------------------------------------------------------------------------- comparisons


def comparisons(outcome: Outcome) -> Table:
    """Every comparison with all that its verdict stands on."""
    unit = unit_of_study(outcome)
    columns = (
        Column("Cell", ("cell", "against"), numeric=False),
        *_decision_columns(unit, "cell minus the one it is compared with", outcome.paired),
        Column("In SDs of runs", ("in_run_stds",), "difference / standard deviation of the runs of both"),
        Column("Correlation", ("correlation",), "of the two cells over seeds: what pairing would rely on"),
    )
    rows = tuple(
        (
            Entry(compared.cell, (compared.cell, compared.against)),
            *_decided(unit, compared.decision, compared.seeds_needed, compared.reasons),
            _number(compared.in_run_stds, lambda value: unit_free(value, 2), compared.reasons.get("in_run_stds")),
            _number(compared.correlation, lambda value: unit_free(value, 2), compared.reasons.get("correlation")),
        )
        for compared in ordered(outcome)
    )
    against = {compared.against for compared in outcome.comparisons}
    to = f"to {against.pop()}" if len(against) == 1 else "to the cell before"
    return Table("comparisons", f"Differences in {unit.title} {to}, in {unit.unit}.", columns, rows)


def _decision_columns(unit: Unit, what: str, paired: bool) -> tuple[Column, ...]:
    """What is shown of every claim."""
    return (
        Column("Verdict", ("verdict",), "at p Holm ≤ .05", numeric=False),
        Column("Difference", ("difference",), f"{what}, {unit.unit}; {unit.direction}"),
        Column("Interval", ("low", "high", "level"), "that goes with the verdict: both tests, at the corrected level"),
        Column("95 % alone", ("crossed_low", "crossed_high"), "of this one claim, over seeds and images"),
        Column("95 % seeds", ("seeds_low", "seeds_high"), "of this one claim, over seeds alone: for these images only"),
        Column(
            "p seeds", ("p_runs",), f"of the {'sign-flip test over seeds' if paired else 'permutation test over runs'}"
        ),
        Column("p seeds, images", ("p_crossed",), "of the crossed t test over runs and images"),
        Column(
            "p Holm", ("p_holm",), "the larger, corrected over all claims of the study; the verdict depends on this"
        ),
        Column("Seed error", ("seed_error",), f"standard error over seeds, {unit.unit}"),
        Column("Image error", ("image_error",), f"standard error over images, {unit.unit}"),
        Column(
            "Seeds needed",
            ("seeds_needed",),
            "to show with 80 % power a difference as large as seen, where it is suggestive",
        ),
    )


def _decided(unit: Unit, decision: Decision, seeds_needed: int | None, reasons: Mapping[str, str]) -> tuple[Entry, ...]:
    why, verdict, digits = decision.reasons, decision.verdict, unit.digits(decision.told)

    def shown(value: float) -> str:
        return unit.value(value, digits)

    return (
        Entry(verdict, (verdict,), why.get("verdict", ""), MARKS[verdict]),
        _number(decision.value, lambda value: unit.signed(value, digits), why.get("value", "")),
        _quoted(decision, unit, digits, why.get("quoted", "")),
        _interval(decision.interval, unit, digits, why.get("interval", "")),
        _interval(decision.seed_interval, unit, digits, why.get("seed_interval", "")),
        _number(decision.p_runs, p_value, why.get("p_runs", "")),
        _number(decision.p_crossed, p_value, why.get("p_crossed", "")),
        _number(decision.p_holm, p_value, why.get("p_holm", "")),
        _number(decision.seed_error, shown, why.get("seed_error")),
        _number(decision.picture_error, shown, why.get("picture_error")),
        _number(seeds_needed, wording.count, reasons.get("seeds_needed")),
    )


def _quoted(decision: Decision, unit: Unit, digits: int, why: str) -> Entry:
    """'[-1.2, +1.8] at 99.3 %'"""
    interval = decision.quoted
    if interval is None:
        return absent(why, 3)
    written = f"{unit.interval(interval, digits, signed=True)} at {100 * interval.level:.3g} %"
    return Entry(written, (interval.low, interval.high, interval.level))


def unit_free(value: float, digits: int) -> str:
    """A number without a unit, with a true minus."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _number(value: float | None, write: Callable[[float], str], why: str | None = "") -> Entry:
    return absent(why or wording.NOT_RECORDED) if value is None else Entry(write(value), (value,))


def _interval(interval: Interval | None, unit: Unit, digits: int, why: str, *, signed: bool = True) -> Entry:
    if interval is None:
        return absent(why, 2)
    return Entry(unit.interval(interval, digits, signed=signed), (interval.low, interval.high))


# -------------------------------------------------------------------------------------------------------------- cells


def cells(outcome: Outcome) -> Table:
    """Every cell: its score with both errors, what it costs, and what tuning chose."""
    unit = unit_of_study(outcome)
    tuned = any(cell.tuned for cell in outcome.cells)
    columns = (
        Column("Cell", ("cell",), numeric=False),
        Column("Mean", ("mean",), f"{unit.title} over seeds, {unit.value_unit}"),
        Column("95 %", ("low", "high"), "interval of the mean over seeds and images"),
        Column("Median", ("median",), f"over seeds, {unit.value_unit}"),
        Column("Worst seed", ("worst",), unit.value_unit),
        Column("Std", ("std",), f"over seeds, {unit.unit}"),
        Column("Seeds", ("seeds",), "that finished"),
        Column(
            "Lost",
            ("lost",),
            "runs that failed, diverged, or did no better than naming the largest class, as far as the images tell",
            numeric=False,
        ),
        *(Column(title, _cost_names(name), _COST_MEANING[name]) for name, (title, _, _) in COSTS.items()),
        Column(
            "95 % seeds", ("seeds_low", "seeds_high"), "interval of the mean over seeds alone: for these images only"
        ),
        Column("Seed error", ("seed_error",), f"standard error of the mean over seeds, {unit.unit}"),
        Column("Image error", ("image_error",), f"standard error of the mean over images, {unit.unit}"),
    )
    if tuned:
        columns += (Column("Tuned", ("tuned", "grid"), "the value that was best on validation", numeric=False),)
    rows = tuple(_cell(unit, cell, tuned, outcome.metrics) for cell in outcome.cells)
    return Table("cells", f"Every cell's {unit.title} and what it costs.", columns, rows)


_RATIO = "in parentheses its ratio to the first cell's, each pair timed right after one another, and not of the medians"
_COST_MEANING = {
    "num_params": "trained values of the model",
    "flops": "of one forward pass of one image; a multiply-add counts as two",
    "seconds_per_image": f"forward pass, per image of a batch, the median; {_RATIO}",
    "seconds_per_step": f"training step of one run, the median; {_RATIO}",
    "activation_bytes": "kept for the backward pass, one image in fp32",
}


def _cell(unit: Unit, cell: CellOutcome, tuned: bool, metrics: Mapping[str, Metric]) -> tuple[Entry, ...]:
    score, why, digits = cell.score, cell.score.reasons, unit.digits(cell.score.interval)
    worst = score.lowest if unit.better == "higher" else score.highest

    def shown(value: float) -> str:
        return unit.value(value, digits)

    row = (
        named(cell.name),
        _number(score.mean, shown, why.get("mean")),
        _interval(score.interval, unit, digits, why.get("interval", ""), signed=False),
        _number(score.median, shown, why.get("median")),
        _number(worst, shown, why.get("lowest")),
        _number(score.std, shown, why.get("std")),
        Entry(str(score.n), (score.n,)),
        Entry(_lost(cell) or "none", (_lost(cell),)),
        *(_cost(cell, name) for name in COSTS),
        _interval(score.seed_interval, unit, digits, why.get("seed_interval", ""), signed=False),
        _number(score.seed_error, shown, why.get("seed_error")),
        _number(score.picture_error, shown, why.get("picture_error")),
    )
    return (*row, _tuned(cell, metrics)) if tuned else row


def _lost(cell: CellOutcome) -> str:
    failed = sum(run.status == "failed" and not run.diverged for run in cell.runs)
    told = [f"{failed} of {counted(len(cell.runs), 'run')} failed"] if failed else []
    return ", ".join([*told, cell.lost] if cell.lost else told)


def _cost(cell: CellOutcome, name: str) -> Entry:
    """'1,234', or of a cost in time '1,234 (1.32 × [1.28, 1.37])', the ratio to the first cell's."""
    value, ratio = cell.costs[name], cell.ratios.get(name)
    values = 4 if name in IN_TIME else 1
    if value is None:
        return absent("not measured", values)
    written = COSTS[name][2](value)
    if name not in IN_TIME:
        return Entry(written, (value,))
    if ratio is None:
        return Entry(written, (value, None, None, None))
    told = f"{written} ({ratio.value:.2f} × [{ratio.low:.2f}, {ratio.high:.2f}])"
    return Entry(told, (value, ratio.value, ratio.low, ratio.high))


def _cost_names(name: str) -> tuple[str, ...]:
    return (name, *(f"{name}_{each}" for each in ("ratio", "low", "high"))) if name in IN_TIME else (name,)


def _tuned(cell: CellOutcome, metrics: Mapping[str, Metric]) -> Entry:
    """'optim.lr 0.004 (0.001: 91.2 %, 0.004: 93.1 %)'"""
    if cell.tuned is None:
        return absent("nothing was tuned", 2)
    metric = metrics.get(cell.tuned.metric)
    unit = unit_of(metric or Metric(cell.tuned.metric, cell.tuned.metric, "", "higher"))
    grid = ", ".join(
        f"{value}: {'–' if score is None else f'{unit.value(score)} {unit.value_unit}'.strip()}"
        for value, score in cell.tuned.scores.items()
    )
    failed = "".join(f"; {value} failed: {why}" for value, why in cell.tuned.failed.items())
    edge = "; the best is at the grid’s edge" if cell.tuned.at_an_edge else ""
    return Entry(f"{cell.tuned.value or 'not yet'} ({grid}{failed}{edge})", (cell.tuned.value, grid))


# ------------------------------------------------------------------------------------------------------------ effects


def effects(outcome: Outcome) -> Table | None:
    """Main effects and interactions; None where there are none."""
    if not outcome.effects:
        return None
    unit = unit_of_study(outcome)
    columns = (
        Column("Effect", ("effect",), numeric=False),
        Column("Levels", ("levels",), "against the first levels of the factors", numeric=False),
        *_decision_columns(unit, "the contrast of means", paired=False),
    )
    rows = tuple(
        (
            named(" × ".join(effect.factors)),
            named(", ".join(effect.levels)),
            *_decided(unit, effect.decision, effect.seeds_needed, effect.reasons),
        )
        for effect in outcome.effects
    )
    return Table("effects", f"Effects on {unit.title} in {unit.unit}.", columns, rows)


# ---------------------------------------------------------------------------------------------------- how it was done


def executions(
    outcome: Outcome,
    recorded: Mapping[str, Sequence[CellExecution]],
    choices: Mapping[str, str],
    one_kernel: Container[str] = (),
) -> Table:
    """How each cell was trained and what was measured to choose that; both by the cell's name, `recorded` a kind of
    host each. `one_kernel`: cells whose models have no choice of attention kernels, of which none is told.
    """
    columns = (
        Column("Cell", ("cell",), numeric=False),
        Column("Trained", ("way",), "the fastest of the ways that all cells can share", numeric=False),
        Column(
            "Measured, ms / step of a run",
            ("measured",),
            "the fastest first; a short look, so one that is many times slower may have met other work",
            numeric=False,
        ),
        Column("Machine settings", ("choices",), "chosen for its runs", numeric=False),
    )
    rows = tuple(
        (
            named(cell.name),
            *_trained(recorded.get(cell.name, ()), cell.name not in one_kernel),
            _text(choices.get(cell.name), "no run has begun"),
        )
        for cell in outcome.cells
    )
    return Table("executions", "How each cell was trained.", columns, rows)


def _trained(hosts: Sequence[CellExecution], kernels: bool) -> tuple[Entry, Entry]:
    """The way taken and the times measured, on every kind of host that has trained the cell."""
    if not hosts:
        return absent("not trained yet"), absent("not measured yet")
    taken = " · ".join(dict.fromkeys(_called(cell.called, kernels) for cell in hosts))
    written = " · ".join(_times(cell.measured, kernels) for cell in hosts if cell.measured)
    return Entry(taken, (taken,)), Entry(written, (written,)) if written else absent("not timed")


def _times(measured: Mapping[str, float], kernels: bool) -> str:
    best: dict[str, float] = {}
    for way in sorted(measured, key=measured.__getitem__):
        best.setdefault(_called(way, kernels), measured[way])
    return "; ".join(f"{way} {1e3 * seconds:.1f}" for way, seconds in best.items())


def _called(way: str, kernels: bool) -> str:
    """'one by one, fused attention' -> 'one by one', where there is one kernel alone"""
    return way if kernels else _KERNEL.sub("", way)


_KERNEL = re.compile(rf", (?:{'|'.join(get_args(Kernel))}) attention$")


def _text(value: str | None, why: str) -> Entry:
    return absent(why) if value is None else Entry(value, (value,))
