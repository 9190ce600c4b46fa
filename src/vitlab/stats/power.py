"""Power: what these seeds could have shown, by the noncentral t distribution of the paired t test.

If the true mean difference is δ and the differences have the standard deviation σ, then t is noncentral t with n - 1
degrees of freedom and noncentrality (δ/σ)·√n, and the power is the chance that |t| exceeds the critical value.

The level is α/m with m comparisons: Holm's first step, which the smallest p must pass whatever the others are. An
effect that is shown with 80 % power at this level is shown with at least that in any company; where others are shown
too, Holm asks less of it. `comparisons=1` gives the plain level.

σ is estimated from the same few seeds: with n of them its standard error is about σ/√(2(n-1)), so a third of it for 6
seeds, and the answers are as rough as that. The seeds that the *seen* effect would need are a plan for the next study,
no excuse for this one: an effect that was picked for being large was, on average, seen too large.
"""

from dataclasses import dataclass, field
from functools import cache

from scipy import optimize, stats

from vitlab.stats.decision import ALPHA
from vitlab.stats.paired import PairedDifference
from vitlab.stats.validation import count, only, share

POWER = 0.80
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Sensitivity:
    """What a comparison could have shown. None has its reason in `reasons`, under the field's name."""

    smallest_effect: float | None  # in the metric's units, a size without sign
    seeds_needed: int | None  # for an effect as large as the one seen, with the spread seen
    level: float  # alpha / comparisons
    power: float
    reasons: dict[str, str] = field(default_factory=dict)


def sensitivity(
    difference: PairedDifference, *, comparisons: int, alpha: float = ALPHA, power: float = POWER
) -> Sensitivity:
    """What `difference`, one of so many `comparisons`, could have shown."""
    level = share("alpha", alpha) / count("comparisons", comparisons, 1)
    share("power", power)
    no_spread = "the differences have no spread" if difference.std == 0 else difference.reasons.get("std", "")
    smallest = needed = None
    no_need = no_spread
    if difference.std:
        smallest = smallest_d_z(difference.n, level, power) * difference.std
        needed, no_need = _needed(abs(difference.mean or 0.0) / difference.std, level, power)
    reasons = only(smallest_effect=no_spread, seeds_needed=no_need)
    return Sensitivity(smallest, needed, level, power, reasons)


def paired_power(d_z: float, n: int, level: float) -> float:
    """The chance that n seeds show a true effect of `d_z` standard deviations of the differences, two-sided."""
    critical = stats.t.isf(level / 2, n - 1)
    shift = d_z * n**0.5
    # The far tail as its mirror image: nct.cdf itself is NaN where it should be nearly 0
    return float(stats.nct.sf(critical, n - 1, shift) + stats.nct.sf(critical, n - 1, -shift))


@cache
def smallest_d_z(n: int, level: float, power: float = POWER) -> float:
    """The effect, in standard deviations of the differences, that n seeds show with this power."""
    high = 1.0
    while paired_power(high, n, level) < power:
        high *= 2
    return float(optimize.brentq(lambda d_z: paired_power(d_z, n, level) - power, 0.0, high, xtol=1e-10))


@cache
def seeds_for(d_z: float, level: float, power: float = POWER) -> int | None:
    """The fewest seeds that show an effect of `d_z` with this power; None if MOST_SEEDS are not enough."""
    few, enough = 1, 2
    while paired_power(d_z, enough, level) < power:
        if enough == MOST_SEEDS:
            return None
        few, enough = enough, min(2 * enough, MOST_SEEDS)
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if paired_power(d_z, middle, level) >= power else (middle, enough)
    return enough


def _needed(d_z: float, level: float, power: float) -> tuple[int | None, str]:
    if d_z == 0:
        return None, "no difference was seen"
    needed = seeds_for(d_z, level, power)
    return needed, "" if needed else f"more than {MOST_SEEDS:,}"
