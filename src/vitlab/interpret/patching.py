"""Activation patching: which activation carries what two pictures differ in.

A model that is shown a changed picture is given, at one token of one block, what it had there for the clean one. How
much of the difference between both answers that brings back says what goes through there (Meng et al., arXiv
2202.05262, section 2.1: causal tracing; Zhang and Nanda, arXiv 2309.16042, on how to measure it).
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vitlab.base.errors import SpecError, UserError, unknown
from vitlab.interpret._given import check_classes, check_images
from vitlab.interpret.activations import capturing, edit
from vitlab.interpret.sites import sites
from vitlab.models.vit import ViT
from vitlab.nn.mixer._base import Mixer
from vitlab.nn.mlp._base import MLP

Where = Literal["stream", "mixer", "mlp"]
_TOGETHER = 256  # patched copies of a picture that run at once
_NOTHING = 1e-4  # of the larger difference of logits: below it both pictures get the same answer


class Patched(NamedTuple):
    """`restored` [places, N]: the share of the difference that one token brings back at each of `places`, 0 nothing, 1
    all of it; below 0 it takes away. The difference is that of the logits of `classes`, the clean picture's minus the
    changed one's; of two pictures of one class it is this class's logit. It was `clean` and `changed`.
    """

    places: tuple[str, ...]
    restored: Tensor
    classes: tuple[int, int]
    clean: float
    changed: float


@torch.no_grad()
def activation_patching(
    model: ViT, clean: Tensor, changed: Tensor, where: Where = "stream", classes: tuple[int, int] | None = None
) -> Patched:
    """Two images [C, height, width] -> which tokens carry the difference: in the residual `stream`, as it enters each
    block, or in what each block's `mixer` or `mlp` adds; without `classes` of the likeliest of both pictures.

    Raises SpecError for what are not two images of the model's, UserError where both get the same answer.
    """
    check_classes(model, "difference of answers")
    pair = _pair(model, clean, changed)
    groups = _places(model, where)
    names = [name for group in groups for name in group]
    entering = [f"blocks.{index}.in" for index in range(len(model.blocks))]
    with capturing(model, [*dict.fromkeys([*entering, *names])]) as caught:
        logits = model(pair)
    chosen = classes or (int(logits[0].argmax()), int(logits[1].argmax()))
    if any(not 0 <= each < logits.shape[1] for each in chosen):
        raise SpecError(f"classes={chosen}: the model has {logits.shape[1]}")
    best, worst = (_difference(each, chosen) for each in logits)
    if abs(best - worst) <= _NOTHING * max(abs(best), abs(worst)):
        raise UserError("both pictures get the same answer, so nothing carries a difference")
    rows = [_restored(model, group, caught, chosen) for group in groups]
    restored = (torch.stack(rows) - worst) / (best - worst)
    return Patched(tuple(group[0] for group in groups), restored.cpu(), chosen, float(best), float(worst))


def _pair(model: ViT, clean: Tensor, changed: Tensor) -> Tensor:
    for image in (clean, changed):
        if image.ndim != 3:
            raise SpecError(f"an image of shape {list(image.shape)}: expected one, [C, height, width]")
        check_images(model, image[None])
    return torch.stack([clean, changed])


def _places(model: ViT, where: Where) -> list[list[str]]:
    """The sites of each place: of a block's mixers or MLPs those that it has side by side are one."""
    blocks = range(len(model.blocks))
    if where == "stream":
        return [[f"blocks.{index}.in"] for index in blocks]
    kinds: dict[str, type] = {"mixer": Mixer, "mlp": MLP}
    if where not in kinds:
        raise SpecError(unknown("where", where, ["stream", *kinds]))
    outs = {name: site for name, site in sites(model).items() if site.part == "out"}
    found = [
        [
            name
            for name, site in outs.items()
            if name.startswith(f"blocks.{index}.") and isinstance(site.module, kinds[where])
        ]
        for index in blocks
    ]
    return [group for group in found if group]


def _difference(logits: Tensor, classes: tuple[int, int]) -> Tensor:
    """[..., Y] -> [...]"""
    one, other = classes
    return logits[..., one] if one == other else logits[..., one] - logits[..., other]


def _restored(model: ViT, group: Sequence[str], caught: dict[str, Tensor], classes: tuple[int, int]) -> Tensor:
    """[N]: the difference where each token in turn is the clean picture's."""
    layer = int(group[0].split(".")[1])
    entering = caught[f"blocks.{layer}.in"][1]
    found = []
    for tokens in torch.arange(len(entering)).split(_TOGETHER):
        edits = {name: partial(_with_clean, caught[name][0], tokens) for name in group}
        with edit(model, edits):
            logits = model.classify(model.encode(entering.expand(len(tokens), -1, -1), start=layer))
        found.append(_difference(logits, classes))
    return torch.cat(found)


def _with_clean(clean: Tensor, tokens: Tensor, activation: Tensor) -> Tensor:
    """[copies, N, D], of which copy i gets the clean picture's token `tokens[i]`"""
    changed = activation.clone()
    changed[torch.arange(len(tokens)), tokens] = clean[tokens]
    return changed
