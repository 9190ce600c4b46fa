"""The tables of a study: comparisons, cells, effects of a factorial, and how each cell was trained."""

from collections.abc import Callable, Mapping, Sequence

from vitlab.base.metric import Metric
from vitlab.records.execution import CellExecution
from vitlab.records.outcome import CellOutcome, ComparisonOutcome, Outcome
from vitlab.report import wording
from vitlab.report.answers import ordered
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.units import Unit, half, unit_of, unit_of_study
from vitlab.stats.intervals import Interval
from vitlab.stats.sign_flip import SignFlip

MARKS = {"worse": "worse", "better": "better", "not distinguishable": "same", None: "missing"}
COSTS: dict[str, tuple[str, str, Callable[[float], str]]] = {  # column, unit of an axis, how it is written
    "num_params": ("Parameters", "parameters", wording.count),
    "flops": ("FLOPs / image", "FLOPs of one image forward", wording.scaled),
    "seconds_per_image": ("µs / image", "µs of one image forward, in a batch", lambda s: f"{1e6 * s:.0f}"),
    "seconds_per_step": ("ms / step", "ms of one training step, alone", lambda s: f"{1e3 * s:.1f}"),
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
    digits = unit.digits(*(half(compared.comparison.difference.t_interval) for compared in outcome.comparisons))
    columns = (
        Column("Cell", ("cell", "against"), numeric=False),
        Column("Seeds", ("seeds",), "that both cells have"),
        Column(
            "Difference",
            ("difference",),
            f"mean over seeds, cell minus the one it is compared with, {unit.unit}; {unit.direction}",
        ),
        Column("95 % t", ("t_low", "t_high"), "interval of this one comparison, by Student's t"),
        Column("95 % bootstrap", ("bootstrap_low", "bootstrap_high"), "by BCa bootstrap; too narrow with few seeds"),
        Column("p", ("p",), "of the paired t test"),
        Column("p Holm", ("p_holm",), "corrected over all comparisons of the study; the verdict depends on this"),
        Column("Verdict", ("verdict",), "at p Holm ≤ .05", numeric=False),
        Column(
            "p sign-flip",
            ("p_sign_flip", "sign_flip_floor"),
            "exact, uncorrected, not used for the verdict; in parentheses the smallest possible p",
        ),
        Column("d_z", ("d_z",), "mean / standard deviation of the differences"),
        Column("In run stds", ("in_run_stds",), "mean / standard deviation of the cells over seeds"),
        Column("Corr.", ("correlation",), "of the two cells over seeds: what pairing relies on"),
        Column("Detectable", ("smallest_effect",), f"the smallest effect detected with 80 % power, {unit.unit}"),
        Column("Seeds needed", ("seeds_needed",), "to detect an effect as large as the observed one with 80 % power"),
        Column("Seed error", ("seed_error",), "standard error of the difference over seeds"),
        Column("Test-set error", ("test_set_error",), "standard error of the difference over images"),
    )
    rows = tuple(_comparison(unit, digits, compared, _no_test_set_error(outcome)) for compared in ordered(outcome))
    against = {compared.against for compared in outcome.comparisons}
    to = f"to {against.pop()}" if len(against) == 1 else "to the cell before"
    return Table("comparisons", f"Differences in {unit.title} {to}, in {unit.unit}.", columns, rows)


def _comparison(unit: Unit, digits: int, compared: ComparisonOutcome, no_test_set_error: str) -> tuple[Entry, ...]:
    comparison, difference, power = compared.comparison, compared.comparison.difference, compared.sensitivity
    why = difference.reasons
    seed_error = None if difference.std is None else difference.std / difference.n**0.5
    no_holm = comparison.reasons.get("p_holm", "")
    verdict = comparison.verdict
    return (
        Entry(compared.cell, (compared.cell, compared.against)),
        Entry(str(difference.n), (difference.n,)),
        _number(difference.mean, lambda value: unit.signed(value, digits), why.get("mean", "")),
        _interval(difference.t_interval, unit, digits, why.get("t_interval", "")),
        _interval(difference.bootstrap_interval, unit, digits, why.get("bootstrap_interval", "")),
        _number(difference.p, p_value, why.get("p", "")),
        _number(comparison.p_holm, p_value, no_holm),
        Entry(verdict, (verdict,), comparison.reasons.get("verdict", ""), MARKS[verdict]),
        _sign_flip(difference.sign_flip, why.get("sign_flip", "")),
        _number(difference.d_z, lambda value: unit_free(value, 2), why.get("d_z", "")),
        _number(difference.in_run_stds, lambda value: unit_free(value, 2), why.get("in_run_stds", "")),
        _number(difference.correlation, lambda value: unit_free(value, 2), why.get("correlation", "")),
        _number(power.smallest_effect, lambda value: unit.value(value, digits), power.reasons.get("smallest_effect")),
        _number(power.seeds_needed, wording.count, power.reasons.get("seeds_needed")),
        _number(seed_error, lambda value: unit.value(value, digits), why.get("std", "")),
        _number(compared.test_set_error, lambda value: unit.value(value, digits), no_test_set_error),
    )


def _no_test_set_error(outcome: Outcome) -> str:
    metric = outcome.metrics.get(outcome.metric)
    predicted = outcome.metric.startswith("test_") and metric is not None and metric.counts_right
    return "no predictions were kept" if predicted else "predictions do not tell this metric image by image"


def _sign_flip(test: SignFlip | None, why: str) -> Entry:
    if test is None:
        return absent(why, 2)
    return Entry(f"{p_value(test.p)} (≥ {p_value(test.floor)})", (test.p, test.floor))


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
    digits = unit.digits(*(half(cell.score.t_interval) for cell in outcome.cells))
    tuned = any(cell.tuned for cell in outcome.cells)
    columns = (
        Column("Cell", ("cell",), numeric=False),
        Column("Mean", ("mean",), f"{unit.title} over seeds, {unit.value_unit}"),
        Column("Std", ("std",), f"over seeds, {unit.unit}"),
        Column("Seeds", ("seeds",), "that finished"),
        Column("95 % t", ("t_low", "t_high"), "interval of the mean over seeds"),
        Column("Seed error", ("seed_error",), f"standard error of the mean over seeds, {unit.unit}"),
        Column("Test-set error", ("test_set_error",), f"standard error over test images, {unit.unit}"),
        *(Column(title, (name,), _COST_MEANING[name]) for name, (title, _, _) in COSTS.items()),
    )
    if tuned:
        columns += (Column("Tuned", ("tuned", "grid"), "the value that was best on validation", numeric=False),)
    rows = tuple(_cell(unit, digits, cell, tuned, outcome.metrics) for cell in outcome.cells)
    return Table("cells", f"Every cell's {unit.title} and what it costs.", columns, rows)


_COST_MEANING = {
    "num_params": "trained values of the model",
    "flops": "of one forward pass of one image; a multiply-add counts as two",
    "seconds_per_image": "measured forward pass, per image of a batch, with nothing else on this machine",
    "seconds_per_step": "measured training step of one run, with nothing else on this machine",
    "activation_bytes": "kept for the backward pass, one image in fp32",
}


def _cell(unit: Unit, digits: int, cell: CellOutcome, tuned: bool, metrics: Mapping[str, Metric]) -> tuple[Entry, ...]:
    score, errors = cell.score, cell.errors
    test_set = errors.test_set_error if errors else None
    seed_error = None if score.std is None else score.std / score.n**0.5
    no_error = "only for shares of the images of a split of known size"
    row = (
        named(cell.name),
        _number(score.mean, lambda value: unit.value(value, digits), score.reasons.get("mean")),
        _number(score.std, lambda value: unit.value(value, digits), score.reasons.get("std")),
        Entry(str(score.n), (score.n,)),
        _interval(score.t_interval, unit, digits, score.reasons.get("t_interval", ""), signed=False),
        _number(seed_error, lambda value: unit.value(value, digits), score.reasons.get("std")),
        _number(test_set, lambda value: unit.value(value, digits), no_error),
        *(_number(cell.costs[name], write, "not measured") for name, (_, _, write) in COSTS.items()),
    )
    return (*row, _tuned(cell, metrics)) if tuned else row


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
    return Entry(f"{cell.tuned.value or 'not yet'} ({grid})", (cell.tuned.value, grid))


# ------------------------------------------------------------------------------------------------------------ effects


def effects(outcome: Outcome) -> Table | None:
    """Main effects and interactions; None where there are none."""
    if outcome.effects is None:
        return None
    unit = unit_of_study(outcome)
    contrasts = [contrast for effect in outcome.effects.effects for contrast in effect.contrasts]
    digits = unit.digits(*(half(contrast.t_interval) for contrast in contrasts))
    columns = (
        Column("Effect", ("effect",), numeric=False),
        Column("Levels", ("levels",), "against the first levels of the factors", numeric=False),
        Column("Difference", ("difference",), f"mean over seeds, {unit.unit}; {unit.direction}"),
        Column("95 % t", ("t_low", "t_high"), "of this one contrast"),
        Column("p", ("p",), "of this one contrast, uncorrected"),
        Column("Detectable", ("smallest_effect",), f"the smallest contrast detected with 80 % power, {unit.unit}"),
        Column("F", ("f",), "of the whole effect, seeds as blocks"),
        Column("df", ("df", "df_error"), "degrees of freedom"),
        Column("ε", ("epsilon",), "Greenhouse and Geisser's correction of both degrees of freedom"),
        Column("p of F", ("p_f",), "with that correction"),
        Column("p Holm", ("p_holm",), "over the effects of the study; tested at .05"),
    )
    rows = []

    def shown(value: float) -> str:
        return unit.value(value, digits)

    for effect in outcome.effects.effects:
        why = effect.reasons
        for contrast in effect.contrasts:
            rows.append(
                (
                    named(" × ".join(effect.factors)),
                    named(", ".join(map(str, contrast.levels))),
                    Entry(unit.signed(contrast.mean, digits), (contrast.mean,)),
                    _interval(contrast.t_interval, unit, digits, contrast.reasons.get("t_interval", "")),
                    _number(contrast.p, p_value, contrast.reasons.get("p")),
                    _number(contrast.smallest_effect, shown, contrast.reasons.get("smallest_effect")),
                    _number(effect.f, lambda value: f"{value:.1f}", why.get("f")),
                    Entry(f"{effect.df}, {effect.df_error}", (effect.df, effect.df_error)),
                    _number(effect.epsilon, lambda value: f"{value:.2f}", why.get("epsilon")),
                    _number(effect.p, p_value, why.get("p")),
                    _number(effect.p_holm, p_value, why.get("p_holm")),
                )
            )
    caption = f"Effects on {unit.title} in {unit.unit}, over {len(outcome.effects.seeds)} seeds that all cells have."
    return Table("effects", caption, columns, tuple(rows))


# ---------------------------------------------------------------------------------------------------- how it was done


def executions(outcome: Outcome, recorded: Mapping[str, Sequence[CellExecution]], choices: Mapping[str, str]) -> Table:
    """How each cell was trained and what was measured to choose that; both by the cell's name, `recorded` a kind of
    host each.
    """
    columns = (
        Column("Cell", ("cell",), numeric=False),
        Column("Trained", ("way",), "the fastest, for all cells of a stack together", numeric=False),
        Column("Measured, ms / step of a run", ("measured",), "the fastest first", numeric=False),
        Column("Machine settings", ("choices",), "chosen for its runs", numeric=False),
    )
    rows = tuple(
        (named(cell.name), *_trained(recorded.get(cell.name, ())), _text(choices.get(cell.name), "no run has begun"))
        for cell in outcome.cells
    )
    return Table("executions", "How each cell was trained.", columns, rows)


def _trained(hosts: Sequence[CellExecution]) -> tuple[Entry, Entry]:
    """The way taken and the times measured, on every kind of host that has trained the cell."""
    measured = [cell for cell in hosts if cell.measured]
    if not measured:
        return absent("not measured yet"), absent("not measured yet")
    taken = " · ".join(dict.fromkeys(cell.called for cell in measured))
    written = " · ".join(_times(cell.measured) for cell in measured)
    return Entry(taken, (taken,)), Entry(written, (written,))


def _times(measured: Mapping[str, float]) -> str:
    return "; ".join(f"{way} {1e3 * measured[way]:.1f}" for way in sorted(measured, key=measured.__getitem__))


def _text(value: str | None, why: str) -> Entry:
    return absent(why) if value is None else Entry(value, (value,))
