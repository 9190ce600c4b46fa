"""Every knock-out's effect on every image: what comes before it is computed once, and many run side by side.

In place of a part stand zeros; or its mean over images, so that what is always there stays; or what another image has
there (resampling), so that what stands there is something that occurs: another one of its batch, so images are to come
in mixed order. What is the same for every image, the model's
own tokens and positions, is zero in any case: its mean, and another image's, are what it is.

A batch goes through the D blocks once; a knock-out in block l then needs D - l blocks more. So D + Σ (D - l) blocks a
batch are what this takes, and nothing else is computed, but for means of models whose tokens do not fit into memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from vitlab.interpret.activations import capturing, edit
from vitlab.interpret.knockout.parts import Knockout
from vitlab.models.vit import ViT
from vitlab.nn.pos_embed._base import PosEmbed

Replacement = Literal["zero", "mean", "resample"]
Batches = Callable[[], Iterable[tuple[Tensor, Tensor]]]  # prepared images [B, C, height, width], labels [B]
TOGETHER = 256  # images times knock-outs that run at once
_MOST = 1 << 30  # bytes of tokens that are kept from one pass to the next
_PATCHES = "patches"  # before positions


class Measured(NamedTuple):
    """Of every image, in the order that they came in, and of every knock-out: whether it was classified rightly, the
    loss in nats, and whether the answer is that of the whole model. `blocks` were computed, where `needed` are what it
    takes.
    """

    right: Tensor  # [1 + K, n] bool, the whole model first
    loss: Tensor  # [1 + K, n]
    agrees: Tensor  # [1 + K, n] bool
    blocks: int
    needed: int


class _Pass(NamedTuple):
    """A batch, and what the whole model makes of it: its patches, and the tokens that enter each block."""

    labels: Tensor
    patches: Tensor
    entering: list[Tensor]
    logits: Tensor


@torch.no_grad()
def measure(
    model: ViT,
    batches: Batches,
    parts: Sequence[Knockout],
    replacement: Replacement = "zero",
    done: Callable[[int], object] = lambda images: None,
) -> Measured:
    """What becomes of a model's answers without each of `parts`. `done` is told how many images are through."""
    counted = _Counting(model)
    passes, means = _first_passes(counted, batches, parts, replacement)
    rows: list[Tensor] = []
    for number, whole in enumerate(passes):
        logits: dict[str, Tensor] = {}
        for layer, some in groupby(sorted(parts, key=lambda part: part.layer), key=lambda part: part.layer):
            logits |= dict(_without(counted, whole, list(some), layer, replacement, means, number))
        rows.append(_answers(whole, [logits[part.site] for part in parts]))
        done(len(whole.labels))
    right, loss, agrees = torch.cat(rows, dim=-1).unbind(0)
    needed = counted.batches * (counted.depth + sum(counted.depth - max(part.layer, 0) for part in parts))
    return Measured(right.bool(), loss, agrees.bool(), counted.blocks, needed)


class _Counting:
    """A model whose blocks are counted as they are computed, in batches of the images."""

    def __init__(self, model: ViT):
        self.model, self.depth = model, len(model.blocks)
        self.blocks = self.batches = 0

    def whole(self, images: Tensor, labels: Tensor) -> _Pass:
        """A batch through all of the model."""
        self.blocks += self.depth
        patches = self.model.patches(images).patches
        tokens = self.model.embed(patches)
        with capturing(self.model, [f"blocks.{index}" for index in range(self.depth)]) as caught:
            logits = self.model.classify(self.model.encode(tokens))
        return _Pass(labels, patches, [tokens, *(caught[f"blocks.{index}"] for index in range(self.depth - 1))], logits)

    def on_from(self, tokens: Tensor, layer: int, times: int) -> Tensor:
        """Logits of the tokens that enter a block, `times` as many as images in a batch."""
        self.blocks += times * (self.depth - layer)
        return self.model.classify(self.model.encode(tokens, start=layer))


def _first_passes(
    counted: _Counting, batches: Batches, parts: Sequence[Knockout], replacement: Replacement
) -> tuple[Iterable[_Pass], Mapping[str, Tensor]]:
    """The batches through the whole model; and, where they are asked for, the means of what is replaced."""

    def every() -> Iterator[_Pass]:
        for images, labels in batches():
            yield counted.whole(images, labels)

    acts = sorted({part.act for part in parts if part.act})
    if replacement != "mean":
        return _numbered(counted, every()), {}
    kept: list[_Pass] | None = []
    sums: dict[str, Tensor] = {}
    images = 0
    with capturing(counted.model, acts) as caught:
        for whole in every():
            images += len(whole.labels)
            for name, activation in {**caught, _PATCHES: whole.patches}.items():
                total = activation.sum(0, dtype=torch.float64)
                sums[name] = sums[name] + total if name in sums else total
            kept = _kept(kept, whole)
    means = {name: (total / images).to(next(counted.model.parameters()).dtype) for name, total in sums.items()}
    return _numbered(counted, every() if kept is None else kept), means


def _kept(kept: list[_Pass] | None, whole: _Pass) -> list[_Pass] | None:
    """What was kept, and one more; None once that is too much."""
    if kept is None:
        return None
    one = sum(tokens.numel() * tokens.element_size() for tokens in (whole.patches, *whole.entering))
    return [*kept, whole] if one * (len(kept) + 1) <= _MOST else None


def _numbered(counted: _Counting, passes: Iterable[_Pass]) -> Iterator[_Pass]:
    for whole in passes:
        counted.batches += 1
        yield whole


def _answers(whole: _Pass, logits: Sequence[Tensor]) -> Tensor:
    """[3, 1 + K, B], on the CPU: right, loss, agreement."""
    every = torch.stack([whole.logits, *logits]).float()
    said = every.argmax(-1)
    loss = torch.stack([cross_entropy(each, whole.labels, reduction="none") for each in every])
    return torch.stack([(said == whole.labels).float(), loss, (said == said[0]).float()]).cpu()


# ------------------------------------------------------------------------------------------------------ replacements


def _without(
    counted: _Counting,
    whole: _Pass,
    parts: Sequence[Knockout],
    layer: int,
    replacement: Replacement,
    means: Mapping[str, Tensor],
    number: int,
) -> Iterator[tuple[str, Tensor]]:
    """The logits without each part of a layer, as many at once as go together."""
    images = len(whole.labels)
    other = torch.roll(torch.arange(images), 1 + number % max(images - 1, 1))  # of each image another one
    size = max(1, TOGETHER // images)
    for start in range(0, len(parts), size):
        some = parts[start : start + size]
        if layer < 0:
            logits = [_before(counted, whole, part, replacement, means, other) for part in some]
        else:
            tokens = whole.entering[layer].repeat(len(some), 1, 1)
            edits = {
                act: partial(replaced, [[part] for part in some], act, replacement, means.get(act), other)
                for act in dict.fromkeys(part.act for part in some)
            }
            with edit(counted.model, edits):
                logits = list(counted.on_from(tokens, layer, len(some)).chunk(len(some)))
        yield from zip((part.site for part in some), logits, strict=True)


def replaced(
    sets: Sequence[Sequence[Knockout]],
    act: str,
    replacement: Replacement,
    mean: Tensor | None,
    other: Tensor | None,
    activation: Tensor,
) -> Tensor:
    """[K·B, ...], a batch for each of K sets of parts -> the same without those parts of each that act here. `mean` is
    the activation's over images, `other` [B] another image for each, where the replacement needs them.
    """
    before = activation.unflatten(0, (len(sets), -1))
    changed = before.clone()
    for whole, copy, parts in zip(before, changed, sets, strict=True):
        for part in parts:
            if part.act == act:
                copy[part.index] = _stand_in(whole, part, replacement, mean, other)
    return changed.flatten(0, 1)


def _stand_in(
    whole: Tensor, part: Knockout, replacement: Replacement, mean: Tensor | None, other: Tensor | None
) -> Tensor | float:
    """What stands in the place of a part of [B, ...]."""
    if replacement == "mean":
        assert mean is not None
        return mean.expand_as(whole)[part.index]
    return 0.0 if replacement == "zero" else whole[other][part.index]


def _before(
    counted: _Counting,
    whole: _Pass,
    part: Knockout,
    replacement: Replacement,
    means: Mapping[str, Tensor],
    other: Tensor,
) -> Tensor:
    """The logits without what stands before the blocks."""
    model = counted.model
    if part.kind == "pos_embed":
        with _without_positions(model):
            return counted.on_from(model.embed(whole.patches), 0, 1)
    if part.kind == "patches":
        changed = replaced([[part]], part.act, replacement, means.get(_PATCHES), other, whole.patches)
        return counted.on_from(model.embed(changed), 0, 1)
    return counted.on_from(replaced([[part]], part.act, "zero", None, None, whole.entering[0]), 0, 1)


@contextmanager
def _without_positions(model: ViT) -> Iterator[None]:
    positions, model.pos_embed = model.pos_embed, PosEmbed()
    try:
        yield
    finally:
        model.pos_embed = positions
