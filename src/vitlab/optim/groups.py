"""Parameter groups: which parameters decay, by what they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

DecayOn = Literal["kernels", "all"]


@dataclass(frozen=True)
class Group:
    """Parameters, by name, that share a weight decay."""

    names: tuple[str, ...]
    weight_decay: float


def parameter_groups(kinds: Mapping[str, str], weight_decay: float, decay_on: DecayOn) -> list[Group]:
    """Split names by kind: `kernels` spares biases, norms, tokens, positions and scales; `all` spares nothing."""
    decayed = tuple(name for name, kind in kinds.items() if decay_on == "all" or kind == "kernel")
    spared = tuple(name for name in kinds if name not in decayed)
    groups = [Group(decayed, weight_decay), Group(spared, 0.0)]
    return [group for group in groups if group.names]


def clip_by_norm(gradients: list[Tensor], limit: float) -> Tensor:
    """Scale gradients [R, P], in place, so that no run's global norm exceeds `limit`; the norms before it, [R]."""
    norms = torch.stack([g.square().sum(dim=1) for g in gradients]).sum(dim=0).sqrt()
    scale = (limit / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale[:, None])
    return norms
