"""What tokens are like, layer by layer: how large, and which patches are alike.

A few tokens that grow far beyond the others are what registers were made for (arXiv 2309.16588): they are seen in the
norms. Patches in the colours of their features' first three principal components show what the model takes for one
thing (arXiv 2304.07193, figure 1).
"""

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.interpret._components import principal
from vitlab.interpret.activations import capture
from vitlab.interpret.grid import grid_of
from vitlab.models.vit import ViT

_COLOURS = 3
_ROUNDING = 1e-6  # of the largest component: what is smaller is none
_MIDDLE = (0.02, 0.98)  # of the values of a component, from black to full colour: a few outliers darken no picture


def token_norms(model: ViT, images: Tensor) -> Tensor:
    """images [B, C, height, width] -> the length of every token, [depth + 1, B, N], prefix tokens first: as it enters
    the first block, after it, … and after the last.
    """
    caught = capture(model, images, stream(model))
    return torch.stack([tokens.norm(dim=-1) for tokens in caught.values()])


def stream(model: ViT) -> list[str]:
    """The sites of the residual stream: what enters the first block, and what every block gives."""
    return ["blocks.0.in", *(f"blocks.{index}" for index in range(len(model.blocks)))]


def patch_colours(model: ViT, images: Tensor, layer: int = -1) -> Tensor:
    """images [B, C, height, width] -> [B, rows, columns, 3], from 0 to 1: the first three principal components of the
    patches' features after a block, of all images together, so that one colour is one thing in all of them. A
    component's sign says nothing; it is chosen so that its largest entry is positive.
    """
    grid, names = grid_of(model), stream(model)[1:]
    if not -len(names) <= layer < len(names):
        raise SpecError(f"layer={layer}: the model has {len(names)} blocks")
    (features,) = capture(model, images, names[layer]).values()
    patches = features[:, grid.prefix :].double()
    found = _components(patches.flatten(0, 1))
    low, high = (found.quantile(share, dim=0) for share in _MIDDLE)
    coloured = ((found - low) / (high - low).clamp_min(torch.finfo(found.dtype).tiny)).clamp(0, 1)
    return coloured.unflatten(0, (len(images), grid.rows, grid.columns)).float()


def _components(rows: Tensor) -> Tensor:
    """[n, D] -> [n, 3]: along the directions in which rows differ most; zero where there are fewer of these."""
    directions, sizes, centred = principal(rows, _COLOURS)
    found = centred @ (directions * (sizes[:_COLOURS, None] > _ROUNDING * sizes[0])).T
    return torch.nn.functional.pad(found, (0, _COLOURS - found.shape[1]))
