"""Stratified splits as a pure function of the labels and a seed: the same on every machine, with every NumPy."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.rng import bits

_SHARE_SEED = 1  # of the share of the training pictures: the same for every run


def hold_out(labels: Tensor, counts: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
    """labels [n] -> (indices that stay, indices held out), ascending: `counts[c]` images of class c are held out."""
    hashes = bits(torch.tensor(seed), "data.splits", len(labels))
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label, count in enumerate(counts):
        members = (labels == label).nonzero().flatten()
        held[members[hashes[members].argsort()[:count]]] = True
    return (~held).nonzero().flatten(), held.nonzero().flatten()


def carve(labels: Tensor, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """labels [n] -> (train indices, validation indices): `fraction` of every class, rounded, is for validation.

    Of two or more images at least one is for validation and at least one is trained on; a single one is trained on.
    """
    if not 0 <= fraction < 1:
        raise DataError(f"val_fraction={fraction}: must be at least 0 and less than 1")
    labels = labels.cpu()
    sizes = torch.bincount(labels).tolist()
    counts = [min(max(round(fraction * size), 1), size - 1) if fraction > 0 and size else 0 for size in sizes]
    return hold_out(labels, counts, seed)


def share(labels: Tensor, fraction: float) -> Tensor:
    """labels [n] -> the indices, ascending, of a `fraction` of every class, rounded up: part of every larger share."""
    labels = labels.cpu()
    sizes = torch.bincount(labels).tolist()
    _, kept = hold_out(labels, [math.ceil(fraction * size - 1e-9) for size in sizes], _SHARE_SEED)
    return kept


def balanced(labels: Tensor) -> Tensor:
    """labels [n] -> indices [m], those of rarer classes again and again: every class as often as the largest, up to
    one image.
    """
    labels = labels.cpu()
    most = int(torch.bincount(labels).max())
    members = [(labels == label).nonzero().flatten() for label in labels.unique().tolist()]
    return torch.cat([inside.repeat(math.ceil(most / len(inside)))[:most] for inside in members])
