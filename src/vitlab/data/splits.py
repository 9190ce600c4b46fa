"""Stratified splits as a pure function of the labels and a seed: the same on every machine, with every NumPy."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.rng import bits


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

    Raises DataError if a class would be left without a training or a validation image.
    """
    if not 0 <= fraction < 1:
        raise DataError(f"val_fraction={fraction}: must be at least 0 and less than 1")
    labels = labels.cpu()
    sizes = torch.bincount(labels).tolist()
    counts = [round(fraction * size) for size in sizes]
    for label, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        if fraction > 0 and size > 0 and not 0 < count < size:
            side = "training" if count else "validation"
            raise DataError(f"val_fraction={fraction} leaves class {label}, of {size} images, without a {side} image")
    return hold_out(labels, counts, seed)
