"""Attention: who looks at whom, how far, how widely, and what that comes to through all layers.

A map never comes out of the forward pass: a fused kernel has none to give. What enters a block's mixer is caught on its
way in, and the mixer says from the definition who looks at whom. So a map is there whatever kernel trained the model.

Distance: the mean of the pixels between a patch and those that it attends to (arXiv 2010.11929, appendix D.7); prefix
tokens stand nowhere, and their shares are left out. Entropy: -Σ w log w of a row, in nats: from 0, one token, to log N,
all alike.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from vitlab.base.errors import UserError
from vitlab.interpret._given import check_classes, check_images, check_numbers, chosen_classes
from vitlab.interpret.activations import edit
from vitlab.interpret.grid import grid_of
from vitlab.interpret.sites import layers_of, sites
from vitlab.models.sites import Call, wrapped
from vitlab.models.vit import ViT
from vitlab.nn.attention._base import Attention
from vitlab.nn.mixer._base import Mixer
from vitlab.nn.pos_embed._base import PosEmbed

_IMAGES = 2  # at once: N² numbers a head and image are more than all else that a layer needs
_LEAST = 1e-30  # of a share of attention whose logarithm is taken


@torch.no_grad()
def attention_maps(
    model: ViT,
    images: Tensor,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    queries: Sequence[int] | None = None,
) -> Tensor:
    """images [B, C, height, width] -> attention weights [depth, B, H, N, N], query by key, prefix tokens first, on the
    CPU; of some `layers`, `heads` and `queries` alone, in their order; -1 is the last one. A block with several mixers
    has a map of each. No more than a layer's map of a few images is kept besides.

    Raises UserError for a model whose mixer has no attention.
    """

    def chosen(weights: Tensor) -> Tensor:
        if heads is not None:
            check_numbers("heads", heads, weights.shape[1])
        if queries is not None:
            check_numbers("queries", queries, weights.shape[2])
        few = weights if heads is None else weights[:, list(heads)]
        return few if queries is None else few[:, :, list(queries)]

    return _measured(model, images, chosen, layers)


@torch.no_grad()
def attention_distance(model: ViT, images: Tensor, layers: Sequence[int] | None = None) -> Tensor:
    """images [B, C, height, width] -> [depth, B, H]: how far patches look, in pixels, a mean over them."""
    grid = grid_of(model)
    far = grid.distances()

    def distance(weights: Tensor) -> Tensor:
        among = weights[:, :, grid.prefix :, grid.prefix :].double()
        return ((among * far.to(among)).sum(-1) / among.sum(-1)).mean(-1)

    check_shares(model, "distance", layers)
    return _measured(model, images, distance, layers)


@torch.no_grad()
def attention_entropy(model: ViT, images: Tensor, layers: Sequence[int] | None = None) -> Tensor:
    """images [B, C, height, width] -> [depth, B, H]: how widely tokens look, in nats, a mean over all of them."""

    def entropy(weights: Tensor) -> Tensor:
        shares = weights.double()
        return -(shares * shares.clamp_min(_LEAST).log()).sum(-1).mean(-1)

    check_shares(model, "entropy", layers)
    return _measured(model, images, entropy, layers)


def gradient_attention(
    model: ViT,
    images: Tensor,
    classes: Sequence[int] | Tensor | None = None,
    layers: Sequence[int] | None = None,
) -> Tensor:
    """images [B, C, height, width] -> [depth, B, H, N, N], or of some `layers`, on the CPU: each weight times the
    gradient that one logit of its image has of it, where that is above zero (arXiv 2103.15679, equation 5, before heads
    are joined); without `classes` of the likeliest. Raises UserError for a mixer without attention.
    """
    check_images(model, images)
    check_classes(model, "gradient of a class")
    caught: dict[str, Tensor] = {}

    def apart(name: str, weights: Tensor) -> Tensor:
        """The same weights as a tensor that the values are weighed by: so it has a gradient."""
        caught[name] = weights * 1
        return caught[name]

    blocks = tuple(f"blocks.{index}." for index in layers_of(model, layers))
    names = [name for name, site in sites(model).items() if site.part == "weights" and name.startswith(blocks)]
    if not names:
        raise UserError(f"mixer={model.spec.mixer.name} has no attention, so there is no gradient times attention")
    with torch.enable_grad(), edit(model, {name: partial(apart, name) for name in names}):
        logits = model(images.detach().requires_grad_())
        chosen = logits[torch.arange(len(images)), chosen_classes(logits, classes)].sum()  # an image has its own alone
        gradients = torch.autograd.grad(chosen, [caught[name] for name in names])
    found = [(caught[name] * gradient).clamp_min(0) for name, gradient in zip(names, gradients, strict=True)]
    return torch.stack(found).detach().cpu()


def read_row(model: ViT, weights: Tensor) -> Tensor:
    """Weights [..., N, N] -> what the head's token takes, or all patches on average, of each patch: [..., rows,
    columns].
    """
    grid = grid_of(model)
    reads = weights[..., 0, :] if model.spec.pool.needs_cls_token else weights[..., grid.prefix :, :].mean(-2)
    return grid.fold(reads)


def mixers_of(model: ViT, layers: Sequence[int] | None = None) -> list[Mixer]:
    """The mixers of all blocks or of some, in the order of `layers`. Raises SpecError for a block that is not there."""
    return [
        module
        for layer in layers_of(model, layers)
        for module in model.blocks[layer].modules()
        if isinstance(module, Mixer)
    ]


def check_shares(model: ViT, what: str, layers: Sequence[int] | None = None) -> None:
    """Refuse to take for shares what does not sum to one, or is not there. Raises UserError, by name."""
    for mixer in mixers_of(model, layers):
        if type(mixer).weights is Mixer.weights:
            raise UserError(f"mixer={model.spec.mixer.name} has no attention, so there is no {what}")
        if not mixer.rows_sum_to_one:
            raise UserError(f"{_called(model, mixer)} has weights that do not sum to one, so there is no {what}")


def _called(model: ViT, mixer: Mixer) -> str:
    """Whose weights they are: the mechanism's, or those that the mixer makes of them."""
    attention = getattr(mixer, "attention", None)
    if isinstance(attention, Attention) and not attention.rows_sum_to_one:
        return f"attention={model.spec.attention.name}"
    return f"mixer={model.spec.mixer.name}"


def _measured(model: ViT, images: Tensor, measure: Callable[[Tensor], Tensor], layers: Sequence[int] | None) -> Tensor:
    """`measure` of every mixer's weights [B, H, N, N], which are forgotten at once: [layers, B, ...], on the CPU."""
    check_images(model, images)
    mixers = mixers_of(model, layers)
    place = {mixer: index for index, mixer in enumerate(mixers)}
    kept: Tensor | None = None

    def look(mixer: Mixer, start: int, call: Call, x: Tensor, positions: PosEmbed, *rest: Tensor | None) -> Tensor:
        nonlocal kept
        weights = mixer.weights(x, positions)
        if weights is None:
            raise UserError(f"mixer={model.spec.mixer.name} has no attention, so there are no attention maps")
        found = measure(weights)
        if kept is None:
            kept = found.new_empty((len(mixers), len(images), *found.shape[1:]), device="cpu")
        kept[place[mixer], start : start + len(found)] = found
        return call(x, positions, *rest)

    for start in range(0, len(images), _IMAGES):
        with wrapped((mixer, partial(look, mixer, start)) for mixer in mixers):
            model(images[start : start + _IMAGES])
    assert kept is not None  # there are images and layers
    return kept
