"""How alike two layers represent images: centred kernel alignment, linear, unbiased, from minibatches.

    CKA(X, Y) = HSIC(K, L) / √(HSIC(K, K) · HSIC(L, L)),   K = X Xᵀ, L = Y Yᵀ        (arXiv 1905.00414, equation 4)

HSIC is the unbiased estimate of Song et al. (2012), of which a mean over minibatches is one of the whole set (arXiv
2010.15327, equation 3; Nguyen et al.): the biased one calls layers of few images alike that are not. It is 1 for a
layer and itself, and does not change if features are rotated or all scaled. What two models share is their images.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.interpret.activations import capture
from vitlab.interpret.tokens import stream
from vitlab.models.vit import ViT

FEWEST = 4  # images of a batch: the unbiased estimate divides by n - 3


def cka(
    model: ViT,
    batches: Iterable[Tensor | tuple[Tensor, Tensor]],
    other: ViT | None = None,
    sites: Sequence[str] | None = None,
    other_sites: Sequence[str] | None = None,
) -> Tensor:
    """Batches of images [B, C, height, width] -> [sites, other sites], in double precision: between all sites of a
    model, or between those of two, which may each have images prepared in their own way, `(images, other images)`.
    Without `sites` those of the residual stream. All that an image has at a site, tokens and channels, is its features.

    Raises SpecError for a batch of fewer than four images, or none at all.
    """
    names = list(sites or stream(model))
    second = model if other is None else other
    other_names = list(other_sites or (names if other is None and sites else stream(second)))
    sums = torch.zeros(3, len(names), len(other_names), dtype=torch.float64)
    for batch in batches:
        ours, theirs = batch if isinstance(batch, tuple) else (batch, batch)
        sums += _estimates(_kernels(model, ours, names), _kernels(second, theirs, other_names))
    if not sums.any():
        raise SpecError("no batch of images was given")
    between, within, within_other = sums
    return between / (within * within_other).sqrt()


def _kernels(model: ViT, images: Tensor, names: Sequence[str]) -> Tensor:
    """[sites, B, B]: the products of every two images' features."""
    if len(images) < FEWEST:
        raise SpecError(f"a batch of {len(images)} images: CKA needs at least {FEWEST}")
    caught = capture(model, images, names)
    return torch.stack([_products(caught[name].flatten(1).double()) for name in names])


def _products(features: Tensor) -> Tensor:
    return (features @ features.T).fill_diagonal_(0.0)


def _estimates(kernels: Tensor, others: Tensor) -> Tensor:
    """[3, sites, other sites]: HSIC of every two, of each site with itself, of each other one with itself."""
    own = torch.stack([_hsic(each, each) for each in kernels])
    other = torch.stack([_hsic(each, each) for each in others])
    between = torch.stack([torch.stack([_hsic(one, two) for two in others]) for one in kernels])
    return torch.stack([between, own[:, None].expand_as(between), other[None].expand_as(between)])


def _hsic(k: Tensor, other: Tensor) -> Tensor:
    """Song et al. 2012, equation 5, of kernels without their diagonals."""
    n = len(k)
    traced = (k * other).sum()
    summed = k.sum() * other.sum() / ((n - 1) * (n - 2))
    crossed = 2 / (n - 2) * (k.sum(0) @ other.sum(0))
    return (traced + summed - crossed) / (n * (n - 3))
