"""Worse, better or not distinguishable: what is claimed of every contrast of a study, over seeds and over pictures.

A verdict needs two tests: over runs, by permutation (`vitlab.stats.permutation`), and over runs and pictures, by the
crossed t (`vitlab.stats.crossed`). Its p is the larger of both. Holm's correction goes over all claims of a study, so
the chance of one false "worse" or "better" or more is at most ALPHA.

The interval that is quoted with a verdict is both tests inverted: it has every value that at least one of them does not
reject. Its level is 1 - α/m with m claims, at which all intervals of a study hold together; where Holm's procedure
rejects only at a later, milder step, it is that step's. So it leaves out 0 exactly where both tests reject.

Where the plan says what difference is worth having, two one-sided tests at α/m each can say that there is none: the
interval of level 1 - 2α/m lies within. (These have an α of their own, beside that of "worse" and "better".)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal, Protocol

from vitlab.base.metric import Better
from vitlab.stats.corrections import holm
from vitlab.stats.crossed import METHOD, NO_PICTURES, Estimate
from vitlab.stats.intervals import LEVEL, Interval
from vitlab.stats.validation import ROUNDING, direction, only, share

ALPHA = 0.05
QUOTED = "both tests"
NOTHING_VARIES = "no run differs from another of its cell, so nothing can be tested"

Verdict = Literal["worse", "better", "not distinguishable", "no difference worth having"]


class RunTest(Protocol):
    """A test over runs, of "the difference is `shift`"."""

    @property
    def smallest_p(self) -> float:
        """That so many runs can reach."""

    def p(self, shift: float = 0.0) -> float:
        """Two-sided."""

    def ends(self, alpha: float, scale: float) -> tuple[float, float] | None:
        """What is not rejected at `alpha`; None where so few runs reject nothing."""


@dataclass(frozen=True)
class Claim:
    """A contrast that a study wants a verdict of.

    `test`: over its runs; None of an interaction, whose runs cannot be exchanged. `unearned`: verdicts that it cannot
    have, with the reason: runs that diverged may have been the bad ones.
    """

    estimate: Estimate
    test: RunTest | None = None
    unearned: Mapping[Verdict, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What a study says of a contrast. What is None has its reason in `reasons`, under the field's name.

    "Not distinguishable" is no claim that two are equal.
    """

    value: float | None
    seed_error: float | None  # standard errors: over seeds on these very pictures,
    picture_error: float | None  # over pictures, if the cells had runs without end,
    error: float | None  # and over both
    interval: Interval | None  # of this one contrast, over seeds and pictures
    seed_interval: Interval | None  # of this one contrast, over seeds alone
    p_runs: float | None = None
    p_crossed: float | None = None
    p_holm: float | None = None  # of the larger, over all claims
    verdict: Verdict | None = None
    quoted: Interval | None = None  # what goes with the verdict
    probably_missed: float | None = None  # less than this was more likely missed than shown; without sign
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> Interval | None:
        """The interval that stands beside the value: what goes with the verdict, or else that of this contrast."""
        return self.quoted or self.interval

    @property
    def p(self) -> float | None:
        """Of both tests together, of this contrast alone: the larger."""
        return None if self.p_crossed is None else max(self.p_crossed, self.p_runs or 0.0)

    @property
    def leans(self) -> bool:
        """Whether this one contrast would have been decided, had it been the only one."""
        return self.verdict == "not distinguishable" and self.p is not None and self.p <= ALPHA


def decide(
    claims: Mapping[str, Claim], *, better: Better, worth: float | None = None, alpha: float = ALPHA
) -> dict[str, Decision]:
    """Decide all claims of a study together; those that could not be tested count among them.

    `worth`: the smallest difference that is worth having, in the metric's units.
    """
    sign, alpha = direction(better), share("alpha", alpha)
    seen = {name: _tested(claim) for name, claim in claims.items()}
    p_values = {name: decision.p for name, decision in seen.items()}
    levels, adjusted = holm_levels(p_values, alpha), dict(zip(p_values, holm(list(p_values.values())), strict=True))
    decisions = {}
    for name, claim in claims.items():
        corrected = replace(seen[name], p_holm=adjusted[name])
        decided = _decided(claim, corrected, sign, levels[name], alpha / len(claims))
        equal = _no_difference(claim, decided, worth, alpha / len(claims))
        decisions[name] = _explained(equal or decided)
    return decisions


def holm_levels(p_values: Mapping[str, float | None], alpha: float) -> dict[str, float]:
    """The level at which Holm's procedure tests each: α over how many are left, from the smallest p on until one
    is not rejected; and α/m, at which all intervals hold together, where that is enough.
    """
    strict, left = alpha / max(1, len(p_values)), len(p_values)
    levels: dict[str, float] = {}
    for p, name in sorted((p, name) for name, p in p_values.items() if p is not None):
        levels[name] = strict if p <= strict else alpha / left
        if p > levels[name]:
            break
        left -= 1
    return {name: levels.get(name, alpha / max(1, left)) for name in p_values}


def undecided(estimate: Estimate, why: str) -> Decision:
    """What is seen of a contrast, without any verdict, and why."""
    untested = ("p_runs", "p_crossed", "p_holm", "verdict", "quoted", "probably_missed")
    return _explained(_described(estimate, dict.fromkeys(untested, why)))


def _explained(decision: Decision) -> Decision:
    """With a reason for everything that is None, and for nothing else."""
    lacking = [each.name for each in fields(decision) if getattr(decision, each.name) is None]
    known = decision.reasons
    usual = known.get("value") or known.get("error") or known.get("verdict") or NOTHING_VARIES
    reasons = {name: known.get(name, usual) for name in lacking}
    if "picture_error" in lacking and decision.error is not None:
        reasons["picture_error"] = NO_PICTURES
    return replace(decision, reasons=reasons)


def _described(estimate: Estimate, reasons: Mapping[str, str]) -> Decision:
    return Decision(
        value=estimate.value,
        seed_error=estimate.seed_error,
        picture_error=estimate.picture_error,
        error=estimate.error,
        interval=estimate.interval(LEVEL),
        seed_interval=estimate.interval_over_seeds(LEVEL),
        reasons={**estimate.reasons, **reasons},
    )


def _tested(claim: Claim) -> Decision:
    """A claim with what both tests say of it alone."""
    crossed = claim.estimate.p()
    if crossed is None:
        return undecided(claim.estimate, claim.estimate.reasons.get("error", NOTHING_VARIES))
    described = _described(claim.estimate, only(p_runs="" if claim.test else "these runs cannot be exchanged"))
    return replace(described, p_runs=claim.test.p() if claim.test else None, p_crossed=crossed)


def _decided(claim: Claim, seen: Decision, sign: int, level: float, strict: float) -> Decision:
    """The verdict at a level, with the interval that goes with it: that at which all hold together, but for what only a
    milder level has decided, and where so few runs have none.
    """
    p, value = seen.p, seen.value
    if p is None or value is None:
        return seen
    later = strict < p <= level
    quoted = (None if later else _inverted(claim, strict)) or _inverted(claim, level)
    missed = (quoted.high - quoted.low) / 2 if quoted else None
    seen = replace(seen, quoted=quoted, probably_missed=missed)
    if claim.test is not None and claim.test.smallest_p > level:
        why = f"so few runs decide nothing at p ≤ {level:.2g}"
        return replace(seen, reasons=seen.reasons | {"verdict": why})
    if p > level:
        return replace(seen, verdict="not distinguishable")
    verdict: Verdict = "better" if sign * value > 0 else "worse"
    if verdict in claim.unearned:
        return replace(seen, reasons=seen.reasons | {"verdict": claim.unearned[verdict]})
    return replace(seen, verdict=verdict)


def _no_difference(claim: Claim, seen: Decision, worth: float | None, alpha: float) -> Decision | None:
    """The verdict that there is no difference worth having, by two one-sided tests at `alpha`; None if not so, or if a
    difference was shown, or if no run differs from another, so that nothing tells how the next one would do.
    """
    asked = worth is not None and seen.verdict == "not distinguishable" and bool(seen.error)
    quoted = _inverted(claim, 2 * alpha) if asked else None
    if quoted is None or worth is None or claim.unearned or not -worth < quoted.low <= quoted.high < worth:
        return None
    return replace(seen, verdict="no difference worth having", quoted=quoted)


def _inverted(claim: Claim, alpha: float) -> Interval | None:
    """What one of both tests, at least, does not reject at `alpha`; None where so few runs reject nothing."""
    estimate = claim.estimate
    if estimate.value is None or estimate.error is None:
        return None
    crossed = estimate.interval(1 - alpha) or Interval(estimate.value, estimate.value, 1 - alpha, METHOD)
    if claim.test is None:
        return crossed
    # Where nothing varies, a first step of the scores' rounding finds the ends
    ends = claim.test.ends(alpha, estimate.error or ROUNDING * max(estimate.scale, ROUNDING))
    if ends is None:
        return None
    return Interval(min(ends[0], crossed.low), max(ends[1], crossed.high), 1 - alpha, QUOTED)
