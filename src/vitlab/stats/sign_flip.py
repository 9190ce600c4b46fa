"""The sign-flip test of paired differences: exact whatever their distribution, and blunt with few seeds.

If a cell does what the baseline does, every seed's difference could as well have had the other sign. p is the share of
the 2ⁿ ways to set the signs whose sum is at least as far from 0 as the one seen. All ways with one sign turned have
their mirror image, so no p is below 2^(1-n): .25 for 3 seeds, .031 for 6, .0078 for 8. Corrected over 7 comparisons it
decides nothing below 9 seeds. It stands beside the t test, uncorrected, and decisions do not rest on it.
"""

from dataclasses import dataclass

import numpy as np

from vitlab.stats.validation import ROUNDING, Array, largest

ENUMERATED = 16  # seeds; 2^15 sums take some milliseconds
DRAWS = 9_999
DRAWS_SEED = 0


@dataclass(frozen=True)
class SignFlip:
    """A two-sided p, and the smallest that this test could have given with so many seeds."""

    p: float
    floor: float
    method: str  # "exact", or with more than ENUMERATED seeds "Monte Carlo, … draws"


def sign_flip(differences: Array, scale: float) -> SignFlip:
    """Test "the mean difference is 0"; sums that differ by rounding of numbers as large as `scale` count as equal."""
    n = len(differences)
    seen = abs(differences.sum()) - ROUNDING * n * max(scale, largest(differences))
    floor = 2.0 ** (1 - n)
    if n <= ENUMERATED:
        # The first sign stays: the other half of the ways are mirror images, with the same distances from 0
        signs = 1.0 - 2.0 * (np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1)
        return SignFlip(float(np.mean(abs(signs @ differences) >= seen)), floor, "exact")
    signs = np.random.default_rng(DRAWS_SEED).choice([-1.0, 1.0], size=(DRAWS, n))
    # The ways drawn and the one seen: so that p is never 0, and the test keeps its level (Phipson and Smyth 2010)
    p = (1 + np.sum(abs(signs @ differences) >= seen)) / (1 + DRAWS)
    return SignFlip(float(p), max(floor, 1 / (1 + DRAWS)), f"Monte Carlo, {DRAWS} draws")
