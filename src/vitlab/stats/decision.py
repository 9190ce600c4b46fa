"""Worse, better or not distinguishable: every cell against the baseline, by paired t with Holm's correction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vitlab.base.metric import Better
from vitlab.stats.corrections import holm
from vitlab.stats.intervals import LEVEL, RESAMPLES
from vitlab.stats.paired import PairedDifference, paired
from vitlab.stats.validation import Scores, direction, share

ALPHA = 0.05

Verdict = Literal["worse", "better", "not distinguishable"]


@dataclass(frozen=True)
class Comparison:
    """A cell against the baseline. Where no test could be made, p and verdict are None and `reasons` says why.

    "Not distinguishable" is no claim that the two are equal: `vitlab.stats.power` says what could have been seen.
    """

    difference: PairedDifference
    p_holm: float | None
    verdict: Verdict | None
    reasons: dict[str, str] = field(default_factory=dict)


def compare(
    baseline: Scores,
    cells: Mapping[str, Scores],
    *,
    better: Better,
    alpha: float = ALPHA,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> dict[str, Comparison]:
    """Compare each cell with the baseline; the chance of one false "worse" or "better" or more is at most `alpha`.

    `cells` are all the comparisons that will be shown, also those whose runs have failed (an empty mapping): what is
    corrected over is what was planned. The intervals are of one comparison each, not corrected.
    """
    differences = {
        name: paired(baseline, scores, name, level=level, resamples=resamples) for name, scores in cells.items()
    }
    return decide(differences, better=better, alpha=alpha)


def decide(
    differences: Mapping[str, PairedDifference], *, better: Better, alpha: float = ALPHA
) -> dict[str, Comparison]:
    """The same for differences that may be to several baselines; these are all the comparisons of the study."""
    sign, alpha = direction(better), share("alpha", alpha)
    adjusted = holm([difference.p for difference in differences.values()])
    return {
        name: _decide(difference, p_holm, sign, alpha)
        for (name, difference), p_holm in zip(differences.items(), adjusted, strict=True)
    }


def _decide(difference: PairedDifference, p_holm: float | None, sign: int, alpha: float) -> Comparison:
    if p_holm is None or difference.mean is None:
        return Comparison(difference, None, None, dict.fromkeys(("p_holm", "verdict"), difference.reasons["p"]))
    if p_holm > alpha:
        return Comparison(difference, p_holm, "not distinguishable")
    return Comparison(difference, p_holm, "better" if sign * difference.mean > 0 else "worse")
