"""What the first layer looks for: the filters of a patch embedding, and what they are made of.

The first principal components of a trained ViT's filters look like basis functions of the fine structure within a patch
(arXiv 2010.11929, figure 7, left).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vitlab.base.errors import UserError
from vitlab.interpret._components import principal
from vitlab.models.vit import ViT

_SHOWN = 28  # components, as in the paper's figure


def patch_filters(model: ViT) -> Tensor:
    """[D, C, rows, columns]: what each channel of the first convolution weighs pixels by; of a linear embedding that is
    all that it does. Raises UserError, by name, for an embedding whose first layer is no convolution.
    """
    first = next((module for module in model.patch_embed.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None or first.in_channels != model.spec.in_chans:
        raise UserError(f"patch_embed={model.spec.patch_embed.name} does not begin with filters of the picture")
    return first.weight.detach().cpu()


class Components(NamedTuple):
    """`filters` [k, C, rows, columns], each of length 1, and the `share` [k] of all filters' variance that each has."""

    filters: Tensor
    share: Tensor


def filter_components(model: ViT, count: int = _SHOWN) -> Components:
    """The first principal components of a patch embedding's filters. Raises UserError as `patch_filters` does."""
    filters = patch_filters(model)
    rows = filters.flatten(1).double()
    chosen, sizes, _ = principal(rows, count)
    share = sizes.square() / sizes.square().sum().clamp_min(torch.finfo(sizes.dtype).tiny)
    return Components(chosen.unflatten(1, filters.shape[1:]).to(filters.dtype), share[:count].to(filters.dtype))
