"""Parameter groups: which parameters decay, by what they are, and how fast they learn, by where they stand.

A model that starts from trained weights need not learn at one rate. *Layer-wise decay* (BEiT, arXiv 2106.08254; MAE,
arXiv 2111.06377, appendix A.1) lets a layer learn the more slowly the nearer it is to the images; a *backbone rate*
lets everything learn more slowly than the head, which starts from nothing. Both are factors on the one scheduled rate;
`lr_scale` is BEiT's, MAE's and timm's name for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.base.words import some

DecayOn = Literal["kernels", "all"]

EMBEDDINGS = ("patch_embed", "auxiliary", "cls_token", "dist_token", "reg_token", "pos_embed")
HEADS = ("head", "head_dist", "task")  # what starts from nothing: a task's own parameters too


@dataclass(frozen=True)
class Group:
    """Parameters, by name, that share a weight decay and a factor on the learning rate."""

    names: tuple[str, ...]
    weight_decay: float
    lr_scale: float = 1.0


def parameter_groups(
    kinds: Mapping[str, str], weight_decay: float, decay_on: DecayOn, scales: Mapping[str, float]
) -> list[Group]:
    """Split names by kind and by scale, those that decay first.

    `kinds` and `scales` are by parameter name. `kernels` spares biases, norms, tokens, positions and layer scales;
    `all` spares nothing.
    """
    members: dict[tuple[bool, float], list[str]] = {}
    for name, kind in kinds.items():
        spared = decay_on == "kernels" and kind != "kernel"
        members.setdefault((spared, scales[name]), []).append(name)
    sorted_members = sorted(members.items(), key=lambda item: item[0])
    return [Group(tuple(names), 0.0 if spared else weight_decay, scale) for (spared, scale), names in sorted_members]


def learning_rate_scales(
    names: Iterable[str], depth: int, layer_decay: float = 1.0, backbone: float = 1.0
) -> dict[str, float]:
    """The factor on the learning rate of every parameter of a model with `depth` blocks, by name.

    `layer_decay` ** (depth + 1 - l) in layer l, times `backbone` for everything but the head.
    """
    return {
        name: layer_decay ** (depth + 1 - layer_of(name, depth)) * (1.0 if _part(name) in HEADS else backbone)
        for name in names
    }


def frozen(scales: Mapping[str, float], patterns: Iterable[str]) -> dict[str, float]:
    """The same factors with 0 for every parameter that a pattern fits, `blocks.[0-5].*` say; such a one stays as it is.

    Raises SpecError for a pattern that fits none, and where nothing is left that learns.
    """
    fixed: set[str] = set()
    for pattern in patterns:
        fitting = {name for name in scales if fnmatchcase(name, pattern)}
        if not fitting:
            raise SpecError(f"optim.frozen: no parameter is called {pattern}; they are called {some(list(scales))}")
        fixed |= fitting
    if fixed == scales.keys():
        raise SpecError("optim.frozen leaves nothing that could learn")
    return {name: 0.0 if name in fixed else scale for name, scale in scales.items()}


def layer_of(name: str, depth: int) -> int:
    """BEiT's layer number: 0 for the embeddings, i + 1 for block i, `depth` + 1 for what follows the last block.

    Positions are embeddings wherever they act, so a relative bias is layer 0 even where every block has its own.
    """
    if _part(name) in EMBEDDINGS:
        return 0
    if _part(name) == "blocks":
        return int(name.split(".")[1]) + 1
    return depth + 1


def _part(name: str) -> str:
    """The part of the model that a parameter belongs to: the names are timm's, whatever the variant."""
    return name.partition(".")[0]


def global_norms(gradients: list[Tensor]) -> Tensor:
    """Each run's norm over all its parameters: [R, P] a group -> [R]"""
    return torch.stack([g.square().sum(dim=1) for g in gradients]).sum(dim=0).sqrt()


def clip_by_norm(gradients: list[Tensor], limit: float) -> Tensor:
    """Scale gradients [R, P], in place, so that no run's global norm exceeds `limit`; the norms before it, [R]."""
    norms = global_norms(gradients)
    scale = (limit / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale[:, None])
    return norms
