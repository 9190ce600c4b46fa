"""How many heads can go: heads are knocked out one after the other, the one that does least harm alone first.

The order is that of the single effects on the loss, measured once (as in Michel et al., arXiv 1905.10650, section 4);
heads that stand in for each other are told by the curve, which falls where the second one goes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.interpret.activations import edit
from vitlab.interpret.knockout.measure import TOGETHER, Batches, replaced
from vitlab.interpret.knockout.outcome import KnockoutOutcome
from vitlab.interpret.knockout.parts import Knockout
from vitlab.models.vit import ViT

POINT = 0.01  # of accuracy, that may be lost
_ROUNDING = 1e-9  # of a share of images


class Curve(NamedTuple):
    """The order in which heads went, and the share of images that is right without the first of them: [0] without none.
    `removable`: how many can go before more than a point is lost. `blocks` were computed for it, in batches.
    """

    order: tuple[str, ...]
    top1: tuple[float, ...]
    removable: int
    blocks: int = 0


def head_curve(
    model: ViT,
    batches: Batches,
    parts: Sequence[Knockout],
    found: KnockoutOutcome,
    done: Callable[[int], object] = lambda images: None,
) -> Curve:
    """The curve of all heads among `parts`, of whose single effects `found` tells. Heads are replaced by zero."""
    harm = {effect.site: effect.delta_loss for effect in found.effects}
    order = sorted((part for part in parts if part.kind == "head"), key=lambda part: harm[part.site])
    right, images, blocks = torch.zeros(1 + len(order), dtype=torch.float64), 0, 0
    for pictures, labels in batches():
        blocks += (1 + len(order)) * len(model.blocks)
        right += _right(model, pictures, labels, order)
        images += len(labels)
        done(len(labels))
    top1 = (right / images).tolist()
    lost = [number for number, share in enumerate(top1) if share < top1[0] - POINT - _ROUNDING]
    removable = (lost[0] - 1) if lost else len(order)
    return Curve(tuple(part.site for part in order), tuple(top1), removable, blocks)


@torch.no_grad()
def _right(model: ViT, pictures: Tensor, labels: Tensor, order: Sequence[Knockout]) -> Tensor:
    """[1 + heads]: how many images are right without the first none, one, two … of the heads"""
    tokens = model.embed(model.patches(pictures).patches)
    size = max(1, TOGETHER // len(labels))
    counts = []
    for some in torch.arange(1 + len(order)).split(size):
        gone = [order[:number] for number in some.tolist()]
        edits = {
            act: partial(replaced, gone, act, "zero", None, None) for act in dict.fromkeys(part.act for part in order)
        }
        with edit(model, edits):
            logits = model.classify(model.encode(tokens.repeat(len(gone), 1, 1)))
        counts += [(each.argmax(-1) == labels).sum().cpu() for each in logits.chunk(len(gone))]
    return torch.stack(counts).double()
