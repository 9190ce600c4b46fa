"""Positions written out: what any way of making them adds to the stem's tokens, as a table of learned ones.

x + E(x's places), whatever computes E, is the same function with E as a parameter. Other libraries have a table, and
few have sinusoids as ours.
"""

from dataclasses import replace

import torch
from torch import Tensor

from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.nn.pos_embed import learned
from vitlab.nn.pos_embed._base import AtStem


def has_other_table(model: ViT) -> bool:
    """Whether its positions are added at the stem and nowhere else, and are not a table already."""
    return isinstance(model.pos_embed, AtStem) and not isinstance(model.spec.pos_embed, learned.Spec)


@torch.no_grad()
def tabled(model: ViT) -> tuple[ViTSpec, dict[str, Tensor]]:
    """Of a model that `has_other_table`: the spec with learned positions, and the weights of the same function."""
    tensors = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("pos_embed.")}
    dims = model.spec.dims()
    like = next(model.parameters())
    tokens = like.new_zeros(1, dims.num_prefix_tokens + dims.num_patches, dims.embed_dim)
    table = model.pos_embed.add(tokens).to(like.dtype)
    return replace(model.spec, pos_embed=learned.Spec()), tensors | {"pos_embed.weight": table}
