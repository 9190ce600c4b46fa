"""Attention maps, recomputed from each mechanism's definition.

A map never comes out of the forward pass: a fused kernel has none to give. What enters a block's mixer is caught on its
way in, and the mixer says from the definition who looks at whom. So a map is there whatever kernel trained the model.
"""

from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from vitlab.base.errors import UserError
from vitlab.models.vit import ViT


@torch.no_grad()
def attention_maps(model: ViT, images: Tensor) -> Tensor:
    """images [B, C, height, width] -> attention weights [depth, B, H, N, N], query by key, prefix tokens first.

    Raises UserError for a model whose mixer has no attention.
    """
    maps: list[Tensor] = []

    def look(mixer: nn.Module, given: tuple[Any, ...]) -> None:
        x, positions, *_ = given
        weights = mixer.weights(x, positions)  # type: ignore[operator]
        if weights is None:
            raise UserError(f"mixer={model.spec.mixer.name} has no attention, so there is no map of it")
        maps.append(weights)

    with ExitStack() as hooks:
        for block in model.blocks:
            mixer = block.attn
            assert isinstance(mixer, nn.Module)
            hooks.callback(mixer.register_forward_pre_hook(look).remove)
        model(images)
    return torch.stack(maps)
