"""What a model's position embedding says, whatever the patches show."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from vitlab.models.vit import ViT
from vitlab.nn.pos_embed._base import PosEmbed


@torch.no_grad()
def position_similarity(model: ViT) -> Tensor | None:
    """How alike the positions of two patches are: [L, L], patches in raster order; None where a model has none, or
    where they say nothing without a query.

    Of what is added to tokens, the cosine of both vectors (arXiv 2010.11929, figure 7); of rotations, the cosine that
    two equal vectors have once they are rotated; of a bias of the attention, the bias, a mean over heads. Positions
    that stand at every layer are those of the first block.
    """
    for positions in (model.pos_embed, model.pos_embed.layer(0)):
        for how in (_added, _rotated, _biased):
            found = how(model, positions)
            if found is not None:
                return found
    return None


def _added(model: ViT, positions: PosEmbed) -> Tensor | None:
    dims, prefix = model.spec.dims(), model.num_prefix_tokens
    vectors = positions.add(_zeros(model, 1, dims.num_tokens, dims.embed_dim))[0, prefix:]
    directions = normalize(vectors, dim=-1)
    return directions @ directions.mT if vectors.any() else None


def _rotated(model: ViT, positions: PosEmbed) -> Tensor | None:
    alike, prefix = _queries(model) + 1, model.num_prefix_tokens
    q, k = positions.rotate(alike, alike)
    return None if torch.equal(q, alike) else (q @ k.mT)[0, :, prefix:, prefix:].mean(0) / q.shape[-1]


def _biased(model: ViT, positions: PosEmbed) -> Tensor | None:
    bias, prefix = positions.bias(_queries(model)), model.num_prefix_tokens
    if bias is None or not bias.any():
        return None
    return (bias if bias.ndim == 3 else bias[0])[:, prefix:, prefix:].mean(0)


def _queries(model: ViT) -> Tensor:
    dims = model.spec.dims()
    return _zeros(model, 1, dims.num_heads, dims.num_tokens, dims.head_dim)


def _zeros(model: ViT, *shape: int) -> Tensor:
    """Of the kind and in the place of the model's weights."""
    return next(model.parameters()).new_zeros(shape)
