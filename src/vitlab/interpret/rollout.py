"""Attention rollout: what the last block's tokens are made of, in shares of the first one's (arXiv 2005.00928, eq. 1).

    R_l = Ā_l R_{l-1},   Ā_l = (A_l + I) / 2

A_l are the weights of a block, brought from H heads to one map, and I is what the residual carries past them. Rows of R
sum to one. It takes heads for alike, values for equal in size, and MLPs for nothing: what matters to a class may be
elsewhere. Three ways of one map from many: the mean over heads; their maximum; and the mean of what moves a class's
logit, weights times gradients above zero (after arXiv 2103.15679, eq. 5). `discard` leaves out the smallest shares of
each row, by how many of a row's entries, before rows are brought to sum to one again.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from vitlab.base.errors import SpecError, unknown
from vitlab.interpret._given import check_images
from vitlab.interpret.attention import attention_maps, check_shares, gradient_attention
from vitlab.models.vit import ViT

Heads = Literal["mean", "max", "gradients"]


def rollout(
    model: ViT,
    images: Tensor,
    heads: Heads = "mean",
    discard: float = 0.0,
    classes: Sequence[int] | Tensor | None = None,
) -> Tensor:
    """images [B, C, height, width] -> [B, N, N], on the CPU: of each token after the last block the shares of those
    that entered the first, prefix tokens first. With `heads="gradients"` for one class an image; without `classes` for
    the likeliest.

    Raises UserError, by name, where weights do not sum to one, and SpecError for a share that cannot be.
    """
    if not 0 <= discard < 1:
        raise SpecError(f"discard={discard}: must be from 0 to below 1")
    if classes is not None and heads != "gradients":
        raise SpecError(f"classes: heads={heads} has nothing to do with classes; heads='gradients' has")
    if heads not in get_args(Heads):
        raise SpecError(unknown("heads", heads, list(get_args(Heads))))
    check_images(model, images)
    if classes is not None and len(classes) != len(images):
        raise SpecError(f"{len(classes)} classes for {len(images)} images")
    check_shares(model, "rollout")
    return torch.cat([_rolled(model, image[None], heads, discard, _of(classes, at)) for at, image in enumerate(images)])


def _of(classes: Sequence[int] | Tensor | None, at: int) -> list[int] | None:
    return None if classes is None else [int(classes[at])]


def _rolled(model: ViT, image: Tensor, heads: Heads, discard: float, classes: list[int] | None) -> Tensor:
    """Of one image, [1, N, N]"""
    maps = gradient_attention(model, image, classes) if heads == "gradients" else attention_maps(model, image)
    joined = maps.amax(2) if heads == "max" else maps.mean(2)
    flow = torch.eye(joined.shape[-1], dtype=joined.dtype).expand(1, -1, -1)
    for layer in joined:
        flow = _with_residual(_without_least(layer, discard)) @ flow
    return flow


def _with_residual(weights: Tensor) -> Tensor:
    """Rows of shares, of which as much again is carried past; of what has no share at all everything is."""
    total = weights.sum(-1, keepdim=True)
    shares = torch.where(total > 0, weights / total, 0.0)
    identity = torch.eye(weights.shape[-1], dtype=weights.dtype)
    mixed = shares + identity
    return mixed / mixed.sum(-1, keepdim=True)


def _without_least(weights: Tensor, discard: float) -> Tensor:
    count = int(discard * weights.shape[-1])
    if not count:
        return weights
    least = weights.topk(count, dim=-1, largest=False).indices
    return weights.scatter(-1, least, 0.0)
