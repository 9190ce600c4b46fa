"""The correlation of two cells over seeds: what a paired comparison relies on.

Runs of one seed share their first weights, their order and their augmentation, and

    Var(cell - baseline) = s_c² + s_b² - 2·r·s_c·s_b

But what is shared fades after some hundred steps of training. At r = 0 a paired test has half of the degrees of freedom
and nothing in return: so cells are compared as two samples, unless a study says beforehand that it is paired.
"""

import numpy as np

from vitlab.stats.validation import Scores, by_seed, constant, largest


def correlation(baseline: Scores, cell: Scores) -> tuple[float | None, str]:
    """Pearson's r over the seeds that both have; or None and why."""
    before, after = by_seed("baseline", baseline), by_seed("cell", cell)
    seeds = [seed for seed in before if seed in after]
    if len(seeds) < 3:
        return None, "a correlation needs at least 3 seeds"
    a, b = (np.array([scores[seed] for seed in seeds]) for scores in (before, after))
    for name, values in (("baseline", a), ("cell", b)):
        if constant(values, largest(values)):
            return None, f"the {name} is the same at every seed"
    return float(np.corrcoef(a, b)[0, 1]), ""
