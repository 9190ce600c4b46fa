"""Sharpness-aware updates: the gradient where the loss rises most, at a distance from the weights."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.optim.groups import global_norms
from vitlab.optim.update._base import Gradient

EPS = 1e-12  # beside the gradient's norm, so that one of zero moves nothing


class Both(NamedTuple):
    """Gradients [R, P] a group: at the weights, and at w + ρ g / (‖g‖ + 1e-12)."""

    clean: list[Tensor]
    perturbed: list[Tensor]


def both_gradients(gradient: Gradient, weights: list[Tensor], radii: Sequence[float]) -> Both:
    """The two gradients; `radii` are ρ, one a run. Norms are over all parameters of a run."""
    clean = [flat.clone() for flat in gradient()]
    kept = [flat.clone() for flat in weights]
    scale = per_run(radii, clean[0]) / (global_norms(clean)[:, None] + EPS)
    for own, direction in zip(weights, clean, strict=True):
        own.add_(direction * scale)
    perturbed = gradient()
    for own, before in zip(weights, kept, strict=True):
        own.copy_(before)  # not subtracted: that would leave them a rounding away from where they were
    return Both(clean, perturbed)


def per_run(values: Sequence[float], like: Tensor) -> Tensor:
    """[R, 1] on the device of `like`; runs that agree make no host wait for a copy."""
    if len(set(values)) == 1:
        return torch.full((len(values), 1), values[0], dtype=like.dtype, device=like.device)
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]
