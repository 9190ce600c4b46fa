"""The sign-flip test of paired differences, and its inversion: for studies that say beforehand that they are paired.

If a cell does what the baseline does, every seed's difference could as well have had the other sign. p is the share of
the ways to set the signs whose |t| is at least the one seen. All ways with one sign turned have their mirror image, so
no p is below 2^(1-n): .25 for 3 seeds, .031 for 6, .0078 for 8.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vitlab.stats.inversion import inverted
from vitlab.stats.permutation import COMPLETE, DRAWS
from vitlab.stats.validation import ROUNDING, Array, largest

_SEED = 0


def smallest_sign_flip_p(seeds: int) -> float:
    """The smallest two-sided p that so many seeds can reach."""
    return max(2.0 ** (1 - seeds), 0.0 if 2.0**seeds <= COMPLETE else 1 / DRAWS)


class SignFlipTest:
    """Of "the differences lie evenly around a shift"; `differences` [n] are a seed each."""

    def __init__(self, differences: Array) -> None:
        self.difference = float(differences.mean())
        self._around = differences - self.difference
        self._signs = _signs(len(differences))
        self._scale = largest(differences)

    @property
    def smallest_p(self) -> float:
        """That so many seeds can reach."""
        return smallest_sign_flip_p(len(self._around))

    def p(self, shift: float = 0.0) -> float:
        """Two-sided p of "the difference is `shift`"."""
        moved = self._around + (self.difference - shift)
        # All ways have the same sum of squares, so |t| grows with |sum|; sums that differ by rounding are equal
        sums = np.abs(self._signs @ moved)
        return float(np.mean(sums >= sums[0] - ROUNDING * len(moved) * max(self._scale, largest(moved))))

    def ends(self, alpha: float, scale: float) -> tuple[float, float] | None:
        """The shifts that are not rejected at `alpha`; None where so few seeds reject none."""
        return inverted(self.p, self.difference, alpha, scale) if self.smallest_p <= alpha else None


@lru_cache(maxsize=8)
def _signs(seeds: int) -> NDArray[np.float64]:
    """[ways, seeds], the one seen first."""
    if 2.0**seeds <= COMPLETE:
        return (1 - 2 * (np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1)).astype(np.float64)
    signs = 2.0 * np.random.default_rng(_SEED).integers(0, 2, size=(DRAWS, seeds)) - 1.0
    signs[0] = 1.0
    return signs.astype(np.float64)
