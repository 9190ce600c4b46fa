"""A study's answers in sentences: the largest effects first, and never more than the statistics say.

`answers(outcome)` is what the terminal prints and a report begins with. "Costs" stands only where the verdict is worse,
"gains" only where it is better; what is not distinguishable says what could have been seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vitlab.base.words import counted
from vitlab.records.outcome import CellOutcome, ComparisonOutcome, Outcome
from vitlab.report.run import SPLITS
from vitlab.report.units import Unit, half, negated, unit_of_study
from vitlab.stats.decision import ALPHA, Verdict
from vitlab.stats.factorial import Contrast, Effect
from vitlab.stats.intervals import Interval
from vitlab.stats.paired import PairedDifference

WALK = "recipe_diff"  # the design whose comparisons have an order of their own
FACTORIAL = "factorial"


@dataclass(frozen=True)
class Sentence:
    """A sentence in the parts that a page shows differently."""

    subject: str
    finding: str
    evidence: str
    verdict: Verdict | None = None

    def __str__(self) -> str:
        return " ".join(part for part in (self.subject, self.finding, self.evidence) if part)


def answers(outcome: Outcome) -> list[str]:
    """Where the study starts, every comparison, effects of a factorial, and what is missing; one sentence each."""
    sentences = [reference(outcome), *compared(outcome), *effects(outcome), *missing(outcome)]
    return [str(sentence) for sentence in sentences]


def reference(outcome: Outcome) -> Sentence:
    """How well the first cell does, which the others are compared with; of a walk also the last."""
    first, last = outcome.cells[0], outcome.cells[-1]
    if outcome.design == WALK and last is not first:
        return Sentence("the base:", f"{_score(outcome, first)};", f"the target: {_score(outcome, last)}")
    if first.score.mean is None:
        return Sentence(f"{first.name}:", "no score;", _reason(first))
    return Sentence(first.name, f"reaches {_score(outcome, first)}", "")


def _score(outcome: Outcome, cell: CellOutcome) -> str:
    """'96.1 % test top-1 [95.0, 97.2], 6 seeds'"""
    score, unit = cell.score, unit_of_study(outcome)
    if score.mean is None:
        return f"no score ({_reason(cell)})"
    digits = unit.digits(half(score.t_interval))
    interval = f" {unit.interval(score.t_interval, digits)}" if score.t_interval else ""
    value = f"{unit.value(score.mean, digits)} {unit.value_unit}"
    return f"{value} {unit.title}{interval}, {seeds(score.n, outcome)}"


def _reason(cell: CellOutcome) -> str:
    """Why a cell has no score."""
    reasons = {run.reason or run.status or "not trained yet" for run in cell.runs}
    return "; ".join(sorted(reasons))


def short_names(outcome: Outcome) -> dict[str, str]:
    """Every cell's name for a picture: of a factorial its levels alone, because all names hold the same factors."""
    if outcome.design != FACTORIAL:
        return {cell.name: cell.name for cell in outcome.cells}
    return {cell.name: ", ".join(cell.levels.values()) for cell in outcome.cells}


def seeds(number: int, outcome: Outcome) -> str:
    """'6 seeds', or how many of those planned."""
    planned = len(outcome.seeds)
    if number < planned:
        return f"{number} of {planned} seeds"
    return f"{number} seed{'s' if number != 1 else ''}"


# -------------------------------------------------------------------------------------------------------- comparisons


def ordered(outcome: Outcome) -> list[ComparisonOutcome]:
    """The comparisons as they are told: the largest effects first, a walk in its order."""
    if outcome.design == WALK:
        return list(outcome.comparisons)
    return sorted(outcome.comparisons, key=_rank)


def _rank(compared: ComparisonOutcome) -> tuple[int, float]:
    verdicts: dict[Verdict | None, int] = {"worse": 0, "better": 0, "not distinguishable": 1, None: 2}
    return verdicts[compared.comparison.verdict], -abs(compared.comparison.difference.mean or 0.0)


def compared(outcome: Outcome) -> list[Sentence]:
    """A sentence for every comparison."""
    return [_comparison(outcome, compared) for compared in ordered(outcome)]


def _comparison(outcome: Outcome, compared: ComparisonOutcome) -> Sentence:
    unit, difference = unit_of_study(outcome), compared.comparison.difference
    verdict, number = compared.comparison.verdict, seeds(difference.n, outcome)
    if verdict is None or difference.mean is None:
        return Sentence(f"{compared.says}:", "no answer;", _no_answer(unit, difference, number))
    digits = unit.digits(half(difference.t_interval))
    if difference.std == 0:  # and tested all the same: all differences are 0
        return Sentence(f"{compared.says}:", "not distinguishable,", _same_scores(outcome, number), verdict)
    if verdict == "not distinguishable":
        seen = _signed(unit, difference.mean, difference.t_interval, digits)
        finding = _not_distinguishable(outcome, difference)
        could = _could_have_seen(unit, compared.sensitivity.smallest_effect, compared.sensitivity.reasons)
        return Sentence(f"{compared.says}:", finding, f"{seen}, {number} {could}", verdict)
    return Sentence(compared.says, *_effect(unit, verdict, difference.mean, difference.t_interval, number), verdict)


def _same_scores(outcome: Outcome, number: str) -> str:
    """What it means that no seed differs: it is the test set that is too small, or too easy."""
    split = SPLITS[outcome.metric.partition("_")[0]]
    images = counted(outcome.images, f"{split} picture") if outcome.images else f"the {split} pictures"
    return f"the same score at each of {number}; {images} cannot tell them apart"


def _not_distinguishable(outcome: Outcome, difference: PairedDifference) -> str:
    """The verdict; and that it is the correction's where the interval of this one comparison leaves out zero."""
    interval = difference.t_interval
    if interval is None or interval.low <= 0 <= interval.high:
        return "not distinguishable,"
    return f"not distinguishable after correction over {len(outcome.comparisons)} comparisons,"


def _effect(unit: Unit, verdict: Verdict, mean: float, interval: Interval | None, number: str) -> tuple[str, str]:
    """'costs 41.0 points' and '[38.2, 43.9], 6 seeds': the size, whichever way the metric is better."""
    digits, verb = unit.digits(half(interval)), "costs" if verdict == "worse" else "gains"
    if mean < 0 and interval is not None:
        interval = negated(interval)
    written = f"{unit.interval(interval, digits)}, " if interval else ""
    return f"{verb} {unit.value(abs(mean), digits)} {unit.unit}", written + number


def _signed(unit: Unit, mean: float, interval: Interval | None, digits: int) -> str:
    """'+0.3 points [-1.2, +1.8]'"""
    written = f" {unit.interval(interval, digits, signed=True)}" if interval else ""
    return f"{unit.signed(mean, digits)} {unit.unit}{written}"


def _could_have_seen(unit: Unit, smallest: float | None, reasons: Mapping[str, str]) -> str:
    if smallest is None:
        return f"({reasons.get('smallest_effect', 'no spread')})"
    written = unit.value(smallest, unit.digits(smallest))
    return f"(a difference under {written} {unit.unit} may have been missed)"


def _no_answer(unit: Unit, difference: PairedDifference, number: str) -> str:
    """Why there is none, in terms of the runs."""
    if difference.mean is None:
        return "no seed has finished in both cells"
    seen = f"{unit.signed(difference.mean)} {unit.unit}"
    if difference.n == 1:
        return f"{seen} with {number}; a test needs at least two seeds"
    return f"{seen} at each of {number}; identical differences cannot be tested"


# ------------------------------------------------------------------------------------------------- effects, what lacks


def effects(outcome: Outcome) -> list[Sentence]:
    """A factorial's main effects and interactions; why there are none, where they were asked for."""
    if outcome.no_effects:
        return [Sentence("main effects and interactions:", "no answer;", outcome.no_effects)]
    if outcome.effects is None:
        return []
    number = seeds(len(outcome.effects.seeds), outcome)
    unit = unit_of_study(outcome)
    return [sentence for effect in outcome.effects.effects for sentence in _effect_sentences(unit, effect, number)]


def _effect_sentences(unit: Unit, effect: Effect, number: str) -> Iterator[Sentence]:
    """One a contrast. Whether the effect is there says F; its contrasts are then told with their own intervals."""
    there = effect.p_holm is not None and effect.p_holm <= ALPHA
    for contrast in effect.contrasts:
        if effect.p_holm is None:
            why = effect.reasons.get("p_holm", "it could not be tested")
            yield Sentence(f"{_what(effect, contrast)}:", "no answer;", why)
        elif there and len(effect.contrasts) == 1 and len(effect.factors) == 1:
            verdict = _verdict(unit, contrast)
            told = _effect(unit, verdict, contrast.mean, contrast.t_interval, number)
            yield Sentence(_what(effect, contrast), *told, verdict)
        else:
            yield _told(unit, effect, contrast, there, number)


def _told(unit: Unit, effect: Effect, contrast: Contrast, there: bool, number: str) -> Sentence:
    digits = unit.digits(half(contrast.t_interval))
    seen = f"{_signed(unit, contrast.mean, contrast.t_interval, digits)}, {number}"
    if not there and len(effect.contrasts) == 1:  # then F is the contrast's t, squared
        seen += f" {_could_have_seen(unit, contrast.smallest_effect, contrast.reasons)}"
    if len(effect.factors) > 1:
        finding = "is not the sum of the two alone," if there else "not distinguishable from the sum of the two alone,"
    else:
        finding = f"an effect over {len(effect.contrasts) + 1} levels," if there else "not distinguishable,"
    colon = "" if there and len(effect.factors) > 1 else ":"
    return Sentence(_what(effect, contrast) + colon, finding, seen, None if there else "not distinguishable")


def _verdict(unit: Unit, contrast: Contrast) -> Verdict:
    return "better" if (contrast.mean > 0) == (unit.better == "higher") else "worse"


def _what(effect: Effect, contrast: Contrast) -> str:
    """A contrast in words."""
    pairs = list(zip(effect.factors, contrast.levels, contrast.references, strict=True))
    if len(pairs) == 1:
        ((name, level, other),) = pairs
        return f"on average over the other factors, {name} {level} instead of {other}"
    return " together with ".join(f"{name} {level}" for name, level, _ in pairs)


def missing(outcome: Outcome) -> list[Sentence]:
    """How many runs are missing, if any."""
    if outcome.complete:
        return []
    lacking, planned = len(outcome.missing), sum(len(cell.runs) for cell in outcome.cells)
    verb = "is" if lacking == 1 else "are"
    return [Sentence(f"{lacking} of {planned} runs", f"{verb} missing;", "the results are from the runs that finished")]
