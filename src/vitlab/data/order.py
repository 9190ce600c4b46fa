"""The order in which a run sees its samples, as a pure function of (seed, global position).

The stream of samples is continuous: position p is sample p mod n of epoch p // n, and every epoch is a fresh
permutation. A batch may straddle two epochs, so no sample is ever dropped and every batch has the same size.
"""

from functools import lru_cache

import torch
from torch import Tensor

from vitlab.rng import bits, sample_keys


def permutation(seeds: Tensor, epoch: int, n: int) -> Tensor:
    """seeds [R] -> [R, n]: each run's order of the n samples in one epoch."""
    epoch_keys = sample_keys(seeds, torch.full((1,), epoch, device=seeds.device))  # [R, 1]
    return bits(epoch_keys, "data.order", n)[:, 0].argsort(dim=1, stable=True)


def indices(seeds: Tensor, positions: Tensor, n: int) -> Tensor:
    """seeds [R], positions [B] -> [R, B]: which sample stands at each position. The definition, for any positions."""
    columns = [permutation(seeds, int(p) // n, n)[:, int(p) % n] for p in positions]
    return torch.stack(columns, dim=1)


class Order:
    """The same for stretches of neighbouring positions; it remembers the permutations of the last two epochs."""

    def __init__(self, seeds: Tensor, n: int):
        self.n = n
        self.epoch = lru_cache(maxsize=2)(lambda epoch: permutation(seeds, epoch, n))

    def stretch(self, start: int, stop: int) -> Tensor:
        """[R, stop - start]: the samples at the positions from `start` to before `stop`."""
        pieces = []
        for epoch in range(start // self.n, (stop - 1) // self.n + 1):
            first = epoch * self.n
            pieces.append(self.epoch(epoch)[:, max(start - first, 0) : stop - first])
        return torch.cat(pieces, dim=1)
