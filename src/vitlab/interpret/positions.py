"""What a model's position embedding says, whatever the patches show; and what becomes of answers without its order."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from vitlab.base.errors import SpecError
from vitlab.interpret._given import check_classes, check_images
from vitlab.interpret.grid import grid_of
from vitlab.models.vit import ViT
from vitlab.nn.pos_embed._base import PosEmbed

_FINE = 1e6  # parts of a pixel: distances that differ by less are one


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


class ByDistance(NamedTuple):
    """How alike the positions of two patches are, on average over all that are so many pixels apart."""

    distance: Tensor  # [d], ascending
    similarity: Tensor  # [d]


def similarity_by_distance(model: ViT) -> ByDistance | None:
    """`position_similarity` against the distance of patches; None where there is none."""
    alike = position_similarity(model)
    if alike is None:
        return None
    far, place = (grid_of(model).distances() * _FINE).round().unique(return_inverse=True)
    sums = torch.zeros(len(far), dtype=torch.float64).index_add_(0, place.flatten(), alike.flatten().double().cpu())
    return ByDistance(far / _FINE, sums / place.flatten().bincount(minlength=len(far)))


class Shuffled(NamedTuple):
    """The share of images that is right, with every patch in its place and with all of them shuffled, `times` over; and
    how many answers stay what they are: what of the model needs no order.
    """

    top1: float
    shuffled_top1: tuple[float, ...]
    agreement: tuple[float, ...]
    images: int


@torch.no_grad()
def shuffle_positions(model: ViT, batches: Iterable[tuple[Tensor, Tensor]], times: int = 5, seed: int = 0) -> Shuffled:
    """Batches of images [B, C, height, width] and labels [B] -> what becomes of the answers where every patch has the
    position of another, by one order for all images, drawn anew each time.

    Patches and positions are told apart by exchanging the patches, as all else is the same for every place; where a
    mixer itself knows places (token_mlp, Linformer), those are exchanged too. Raises SpecError for no images.
    """
    check_classes(model, "answer")
    grid = grid_of(model)
    drawn = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(grid.rows * grid.columns, generator=drawn) for _ in range(times)]
    right, same, images = torch.zeros(1 + times), torch.zeros(times), 0
    for pictures, labels in batches:
        check_images(model, pictures)
        patches = model.patches(pictures).patches
        said = [_answers(model, patches), *(_answers(model, patches[:, order]) for order in orders)]
        right += torch.stack([(each == labels).sum() for each in said]).cpu()
        same += torch.stack([(each == said[0]).sum() for each in said[1:]]).cpu()
        images += len(labels)
    if not images:
        raise SpecError("no images were given")
    first, *others = (right / images).tolist()
    return Shuffled(first, tuple(others), tuple((same / images).tolist()), images)


def _answers(model: ViT, patches: Tensor) -> Tensor:
    return model.classify(model.encode(model.embed(patches))).argmax(-1)


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
