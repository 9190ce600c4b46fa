"""The order in which a run sees its samples, as a pure function of (seed, global position).

The stream of samples is continuous: position p is sample p mod n of epoch p // n, and every epoch is a fresh
permutation. A batch may straddle two epochs, so no sample is ever dropped and every batch has the same size.

With repeated augmentation (arXiv 1901.09335) every image stands k times in a row, each time under a position, and so a
key, of its own; an epoch then has k·n samples.
"""

from functools import lru_cache

import torch
from torch import Tensor

from vitlab.rng import bits, sample_keys


def permutation(seeds: Tensor, epoch: int, n: int) -> Tensor:
    """seeds [R] -> [R, n]: each run's order of the n samples in one epoch."""
    epoch_keys = sample_keys(seeds, torch.full((1,), epoch, device=seeds.device))  # [R, 1]
    return bits(epoch_keys, "data.order", n)[:, 0].argsort(dim=1, stable=True)


def indices(seeds: Tensor, positions: Tensor, n: int, repeats: int = 1) -> Tensor:
    """seeds [R], positions [B] -> [R, B]: which sample stands at each position. The definition, for any positions."""
    places = [int(position) // repeats for position in positions]
    return torch.stack([permutation(seeds, place // n, n)[:, place % n] for place in places], dim=1)


class Order:
    """The same for stretches of neighbouring positions; it remembers the permutations of the last two epochs."""

    def __init__(self, seeds: Tensor, n: int, repeats: int = 1):
        self.n, self.repeats = n, repeats
        self.epoch = lru_cache(maxsize=2)(lambda epoch: permutation(seeds, epoch, n))

    def stretch(self, start: int, stop: int) -> Tensor:
        """[R, stop - start]: the samples at the positions from `start` to before `stop`."""
        before, after = start // self.repeats, (stop - 1) // self.repeats + 1
        pieces = []
        for epoch in range(before // self.n, (after - 1) // self.n + 1):
            first = epoch * self.n
            pieces.append(self.epoch(epoch)[:, max(before - first, 0) : after - first])
        repeated = torch.cat(pieces, dim=1).repeat_interleave(self.repeats, dim=1)
        return repeated[:, start - before * self.repeats :][:, : stop - start]
