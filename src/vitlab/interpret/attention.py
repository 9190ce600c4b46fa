"""Attention maps, recomputed from each mechanism's definition.

A map never comes out of the forward pass: a fused kernel has none to give. What enters a block's mixer is caught on its
way in, and the mixer says from the definition who looks at whom. So a map is there whatever kernel trained the model.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from vitlab.base.errors import UserError
from vitlab.models.sites import Call, wrapped
from vitlab.models.vit import ViT
from vitlab.nn.mixer._base import Mixer
from vitlab.nn.pos_embed._base import PosEmbed


@torch.no_grad()
def attention_maps(model: ViT, images: Tensor, layers: Sequence[int] | None = None) -> Tensor:
    """images [B, C, height, width] -> attention weights [depth, B, H, N, N], query by key, prefix tokens first; of some
    `layers` alone, [layers, B, H, N, N], in the order of the blocks; -1 is the last one. A block with several mixers
    has a map of each.

    Raises UserError for a model whose mixer has no attention.
    """
    maps: list[Tensor] = []

    def look(mixer: Mixer, call: Call, x: Tensor, positions: PosEmbed, *rest: Tensor | None) -> Tensor:
        weights = mixer.weights(x, positions)
        if weights is None:
            raise UserError(f"mixer={model.spec.mixer.name} has no attention, so there are no attention maps")
        maps.append(weights)
        return call(x, positions, *rest)

    blocks = range(len(model.blocks))
    chosen = blocks if layers is None else sorted(blocks[layer] for layer in layers)
    mixers = [module for index in chosen for module in model.blocks[index].modules() if isinstance(module, Mixer)]
    with wrapped((mixer, partial(look, mixer)) for mixer in mixers):
        model(images)
    return torch.stack(maps)
