"""A study's answers in sentences: the largest effects first, and never more than the statistics say.

`answers(outcome)` is what the terminal prints and a report begins with. "Costs" stands only where the verdict is worse,
"gains" (of a loss, "saves") only where it is better; what is not distinguishable says what would probably have been
missed. The intervals are those of the verdicts; `vitlab.report.caveats` says what they are over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vitlab.base.words import counted
from vitlab.records.outcome import CellOutcome, ComparisonOutcome, EffectOutcome, Outcome
from vitlab.report.caveats import caveats, never_decided
from vitlab.report.run import SPLITS
from vitlab.report.units import Unit, negated, unit_of_study
from vitlab.stats.decision import Decision, Verdict
from vitlab.stats.intervals import Interval

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
    """Where the study starts, every comparison, effects of a factorial, what is missing, and what all of that is over;
    one sentence each.
    """
    sentences = [reference(outcome), *compared(outcome), *effects(outcome), *missing(outcome)]
    return [*map(str, sentences), *caveats(outcome)]


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
    digits = unit.digits(score.interval)
    interval = f" {unit.interval(score.interval, digits)}" if score.interval else ""
    value = f"{unit.value(score.mean, digits)} {unit.value_unit}"
    lost = f"; {cell.lost}" if cell.lost else ""
    return f"{value} {unit.title}{interval}, {seeds(cell)}{lost}"


def _reason(cell: CellOutcome) -> str:
    """Why a cell has no score."""
    reasons = {run.reason or run.status or "not trained yet" for run in cell.runs}
    return "; ".join(sorted(reasons))


def short_names(outcome: Outcome) -> dict[str, str]:
    """Every cell's name for a picture: of a factorial its levels alone, because all names hold the same factors."""
    if outcome.design != FACTORIAL:
        return {cell.name: cell.name for cell in outcome.cells}
    return {cell.name: ", ".join(cell.levels.values()) for cell in outcome.cells}


def seeds(cell: CellOutcome) -> str:
    """'6 seeds', or how many of those planned."""
    number, planned = cell.score.n, len(cell.runs)
    return f"{number} of {planned} seeds" if number < planned else counted(number, "seed")


def _both_seeds(outcome: Outcome, compared: ComparisonOutcome) -> str:
    """'6 seeds', or '6 against 16 seeds' of the cell and of what it is compared with."""
    cell, against = outcome.cell(compared.cell), outcome.cell(compared.against)
    if (cell.score.n, len(cell.runs)) == (against.score.n, len(against.runs)):
        return seeds(cell)
    return f"{seeds(cell).removesuffix(' seeds').removesuffix(' seed')} against {seeds(against)}"


# -------------------------------------------------------------------------------------------------------- comparisons


def ordered(outcome: Outcome) -> list[ComparisonOutcome]:
    """The comparisons as they are told: the largest effects first, a walk in its order."""
    if outcome.design == WALK:
        return list(outcome.comparisons)
    return sorted(outcome.comparisons, key=_rank)


def _rank(compared: ComparisonOutcome) -> tuple[int, float]:
    verdicts: dict[Verdict | None, int] = {"worse": 0, "better": 0, "no difference worth having": 1}
    return verdicts.get(compared.decision.verdict, 2), -abs(compared.decision.value or 0.0)


def compared(outcome: Outcome) -> list[Sentence]:
    """A sentence for every comparison."""
    return [_comparison(outcome, compared) for compared in ordered(outcome)]


def _comparison(outcome: Outcome, compared: ComparisonOutcome) -> Sentence:
    decision, number = compared.decision, _both_seeds(outcome, compared)
    if decision.value == 0 and decision.error == 0 and decision.verdict is not None:
        return Sentence(f"{compared.says}:", "not distinguishable,", _same_scores(outcome, number), decision.verdict)
    both = (outcome.cell(compared.cell), outcome.cell(compared.against))
    lost = [f"{cell.name}: {cell.lost}" for cell in both if cell.lost]
    if decision.reasons.get("verdict") in lost:  # it is said as the reason
        lost = []
    return _told(outcome, compared.says, decision, "; ".join([number, *lost]), compared.seeds_needed)


def _told(outcome: Outcome, subject: str, decision: Decision, number: str, needed: int | None) -> Sentence:
    """What was decided of a comparison or a main effect."""
    unit, verdict, value = unit_of_study(outcome), decision.verdict, decision.value
    if value is None:
        return Sentence(f"{subject}:", "no answer;", f"{decision.reasons['value']}; {number}")
    digits = unit.digits(decision.told)
    if verdict in ("worse", "better"):
        return Sentence(subject, *_effect(unit, verdict, value, decision.told, number), verdict)
    seen = _signed(unit, value, decision.told)
    if verdict is None:
        return Sentence(
            f"{subject}:", "no answer;" if outcome.verdicts else "", _no_verdict(outcome, decision, seen, number)
        )
    if verdict == "no difference worth having":
        within = f"(within ±{unit.chosen(outcome.worth or 0.0)} {unit.unit})"
        return Sentence(f"{subject}:", f"no difference worth having {within},", f"{seen}, {number}", verdict)
    missed = _probably_missed(unit, decision, digits)
    leaning = f"; with {needed} seeds a difference as large as this one would probably be shown" if needed else ""
    return Sentence(f"{subject}:", "not distinguishable,", f"{seen}, {number}{missed}{leaning}", verdict)


def _no_verdict(outcome: Outcome, decision: Decision, seen: str, number: str) -> str:
    """What was seen, and why nothing is said of it."""
    if not outcome.verdicts:
        return f"{seen}, {number}"
    why = decision.reasons.get("verdict", "it could not be tested")
    return f"{seen}, {number}" if why == never_decided(outcome) else f"{seen}, {number}; {why}"


def _same_scores(outcome: Outcome, number: str) -> str:
    """What it means that no seed differs: it is the test set that is too small, or too easy."""
    split = SPLITS[outcome.metric.partition("_")[0]]
    images = counted(outcome.images, f"{split} image") if outcome.images else f"the {split} images"
    return f"the same score at each of {number}; {images} are too few or too easy to tell them apart"


def _effect(unit: Unit, verdict: Verdict, mean: float, interval: Interval | None, number: str) -> tuple[str, str]:
    """'costs 41.0 points' and '[38.2, 43.9], 6 seeds': the size, whichever way the metric is better."""
    digits, verb = unit.digits(interval), _verb(unit, verdict)
    if mean < 0 and interval is not None:
        interval = negated(interval)
    written = f"{unit.interval(interval, digits)}, " if interval else ""
    return f"{verb} {unit.value(abs(mean), digits)} {unit.unit}", written + number


def _verb(unit: Unit, verdict: Verdict) -> str:
    """Of a loss less is better: it is saved, not gained."""
    return "costs" if verdict == "worse" else "gains" if unit.better == "higher" else "saves"


def _signed(unit: Unit, mean: float, interval: Interval | None) -> str:
    """'+0.3 points [-1.2, +1.8]'"""
    digits = unit.digits(interval)
    written = f" {unit.interval(interval, digits, signed=True)}" if interval else ""
    return f"{unit.signed(mean, digits)} {unit.unit}{written}"


def _probably_missed(unit: Unit, decision: Decision, digits: int) -> str:
    if not decision.probably_missed:
        return ""
    written = unit.value(decision.probably_missed, digits)
    return f" (a difference of less than {written} {unit.unit} would probably have been missed)"


# ------------------------------------------------------------------------------------------------- effects, what lacks


def effects(outcome: Outcome) -> list[Sentence]:
    """A factorial's main effects and interactions."""
    return list(_effects(outcome))


def _effects(outcome: Outcome) -> Iterator[Sentence]:
    fewest = min(outcome.cells, key=lambda cell: cell.score.n)
    least = "at least " if any(cell.score.n > fewest.score.n for cell in outcome.cells) else ""
    lost = [f"{cell.name}: {cell.lost}" for cell in outcome.cells if cell.lost]
    for effect in outcome.effects:
        told = [] if effect.decision.reasons.get("verdict") in lost else lost
        each = "; ".join([f"{least}{seeds(fewest)} of each cell", *told])
        if len(effect.factors) == 1:
            crossed = {name for each in outcome.effects for name in each.factors}
            others = "factor" if len(crossed) == 2 else "factors"
            subject = f"on average over the other {others}, {alone_or_together(outcome, effect)}"
            yield _told(outcome, subject, effect.decision, each, effect.seeds_needed)
        else:
            yield _interaction(outcome, effect, each)


def _interaction(outcome: Outcome, effect: EffectOutcome, number: str) -> Sentence:
    """Whether two changes do together what they do alone."""
    decision = effect.decision
    told = _told(outcome, _what(effect), decision, number, effect.seeds_needed)
    if decision.verdict in ("worse", "better") and decision.value is not None:
        unit = unit_of_study(outcome)
        seen = _signed(unit, decision.value, decision.told)
        return Sentence(_what(effect), "is not the sum of the two alone,", f"{seen}, {number}")
    findings: dict[Verdict | None, str] = {
        "not distinguishable": "not distinguishable from the sum of the two alone,",
        "no difference worth having": f"{told.finding.removesuffix(',')} from the sum of the two alone,",
    }
    return replace(told, finding=findings.get(decision.verdict, told.finding))


def alone_or_together(outcome: Outcome, effect: EffectOutcome) -> str:
    """A contrast in words; a main effect in those of the comparison that changes this alone, if there is one."""
    if len(effect.factors) > 1:
        return _what(effect)
    ((factor, level),) = zip(effect.factors, effect.levels, strict=True)
    levels = {**outcome.cells[0].levels, factor: level}
    says = [each.says for each in outcome.comparisons if outcome.cell(each.cell).levels == levels]
    return says[0] if says else _what(effect)


def _what(effect: EffectOutcome) -> str:
    """A contrast in words."""
    pairs = list(zip(effect.factors, effect.levels, effect.references, strict=True))
    if len(pairs) == 1:
        ((name, level, other),) = pairs
        return f"{name} {level} instead of {other}"
    return " together with ".join(f"{name} {level}" for name, level, _ in pairs)


def missing(outcome: Outcome) -> list[Sentence]:
    """How many runs have no score, if any."""
    if outcome.complete:
        return []
    lacking, runs = len(outcome.missing), [run for cell in outcome.cells for run in cell.runs]
    diverged = sum(run.diverged for run in runs)
    told = f" ({diverged} diverged)" if diverged else ""
    verb = "has" if lacking == 1 else "have"
    return [
        Sentence(f"{lacking} of {len(runs)} runs", f"{verb} no score{told};", "the results are those of the others")
    ]
