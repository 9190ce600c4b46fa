"""Power: how many seeds would decide what leans, by the parts of its variance.

With more seeds the seeds' parts shrink and their degrees of freedom grow; the pictures' part stays. An effect is taken
to be decided if it is so many standard errors away from 0 that a test at the level rejects with POWER, and if the test
over runs can go below the level at all.

The spread is estimated from the few seeds that there are, and an effect that was picked for being large was, on
average, seen too large: the answer is a plan for the next study, no excuse for this one.
"""

from collections.abc import Callable
from dataclasses import replace

from vitlab.stats.crossed import Estimate, Part, critical
from vitlab.stats.validation import count, share

POWER = 0.80
MOST_SEEDS = 10_000


def seeds_needed(
    estimate: Estimate, seeds: int, level: float, smallest_p: Callable[[int], float], *, power: float = POWER
) -> tuple[int | None, str]:
    """With how many seeds, instead of `seeds`, an effect as large as the one seen would be shown at `level`; or None
    and why not. `smallest_p`: what the test over runs can reach with so many.
    """
    share("level", level)
    share("power", power)
    if not estimate.value or not estimate.error:
        return None, estimate.reasons.get("error", "no difference was seen")

    def decides(number: int) -> bool:
        parts = _with_seeds(estimate, number / seeds)
        asked = critical(level, parts) + critical(2 * (1 - power), parts)
        return (
            smallest_p(number) <= level and abs(estimate.value or 0.0) >= asked * sum(p.variance for p in parts) ** 0.5
        )

    count("seeds", seeds, 1)
    if not decides(MOST_SEEDS):
        return None, "more seeds would not decide it: there are too few images"
    few, enough = seeds, MOST_SEEDS  # so many have not decided it
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if decides(middle) else (middle, enough)
    return enough, ""


def _with_seeds(estimate: Estimate, times: float) -> tuple[Part, ...]:
    """The parts of the variance with so many times the seeds."""
    scaled = tuple(Part(part.variance / times, max(1, round((part.df + 1) * times) - 1)) for part in estimate.seeds)
    return replace(estimate, seeds=scaled).parts
