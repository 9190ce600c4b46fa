"""The activations of a model, each under one name that stays what it is from model to model.

    patch_embed                     patches [B, L, D]
    embed                           tokens with positions, as the first block gets them [B, N, D]
    blocks.3.in, blocks.3           what a block is given and what it gives: the residual stream [B, N, D]
    blocks.3.norm1, .attn, .mlp …   what each of its parts gives, under timm's names; `.in` what it is given
    blocks.3.attn.q, .k, .v, .z     of each head [B, H, N, K]; z is what it takes from the values
    blocks.3.attn.weights           how much of each token each token takes, by the definition [B, H, N, N]
    blocks.3.mlp.hidden             what the MLP's last layer gets [B, N, M]
    norm, pool, pool.weights …      the final norm, what is read of all tokens [B, W], a pooling's own attention
    head                            logits [B, Y]

The weights are never formed by the forward pass, whose kernel may be fused: they are computed beside it, and only for
whoever asks.
"""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from torch import nn

from vitlab.base.errors import SpecError, unknown
from vitlab.models.vit import ViT
from vitlab.nn.attention._base import Attention
from vitlab.nn.mixer._base import Mixer
from vitlab.nn.mlp._base import MLP
from vitlab.nn.stochastic import Dropout, DropPath

_BLOCKS_OWN = re.compile(r"blocks\.\d+\.in|.*\.hidden")
Part = Literal["in", "out", "q", "k", "v", "weights", "z"]
_OF_HEADS: tuple[Part, ...] = ("q", "k", "v", "weights", "z")
_READING = ("norm", "pool", "fc_norm", "head", "head_dist")  # what follows the blocks
_NOTHING = (nn.Identity, Dropout, DropPath)  # what they give is what they are given


class Site(NamedTuple):
    """An activation: which module's call has it, and what of the call."""

    module: nn.Module
    part: Part

    @property
    def has_heads(self) -> bool:
        """Whether it is [B, H, ...]."""
        return self.part in _OF_HEADS


def sites(model: ViT) -> dict[str, Site]:
    """Every activation that has a name, in about the order of the computation. What its module is given is one too,
    `blocks.3.mlp.in`; of these only the blocks' own stand here.
    """
    return {name: site for name, site in _all(model) if site.part != "in" or _BLOCKS_OWN.fullmatch(name)}


def beginnings(model: ViT) -> dict[str, Site]:
    """Where the branches of blocks begin: what heads take from the values, what a mixer without heads gives, and what
    an MLP gives.
    """
    every = sites(model)
    return {
        name: site
        for name, site in every.items()
        if name.startswith("blocks.")
        and (
            site.part == "z"
            or (site.part == "out" and isinstance(site.module, Mixer | MLP) and f"{name}.z" not in every)
        )
    }


def layers_of(model: ViT, layers: Sequence[int] | None) -> list[int]:
    """The numbers of some blocks, of which -1 is the last, or of all. Raises SpecError for one that is not there."""
    depth = len(model.blocks)
    if layers is None:
        return list(range(depth))
    if not len(layers):
        raise SpecError(f"layers=[]: of which of the {depth} blocks?")
    if beyond := [layer for layer in layers if not -depth <= layer < depth]:
        raise SpecError(f"layers={list(layers)}: the model has {depth} blocks, and no {beyond[0]}")
    return [layer % depth for layer in layers]


def found(model: ViT, patterns: str | Sequence[str]) -> dict[str, Site]:
    """The sites of some names or patterns, `blocks.*.attn.weights`. Raises SpecError for what is the name of none."""
    known = dict(_all(model))
    named: dict[str, Site] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        fitting = {name: site for name, site in known.items() if fnmatchcase(name, pattern)}
        if not fitting:
            raise SpecError(unknown("site", pattern, sites(model)))
        named |= fitting
    return named


def _all(model: ViT) -> Iterator[tuple[str, Site]]:
    yield "patch_embed", Site(model.patch_embed, "out")
    yield "embed", Site(model.norm_pre, "out")
    for index, block in enumerate(model.blocks):
        yield from _within(f"blocks.{index}", block)
    for name in _READING:
        if (part := getattr(model, name)) is not None:
            yield from _within(name, part)


def _within(path: str, module: nn.Module) -> Iterator[tuple[str, Site]]:
    """The sites of a module and of all that it is made of, in about the order of the computation."""
    if isinstance(module, _NOTHING):
        return
    if isinstance(module, nn.ModuleList):  # of one kind, as parallel branches are
        yield from _children(path, module)
        return
    yield f"{path}.in", Site(module, "in")
    yield from _children(path, module)
    yield path, Site(module, "out")


def _children(path: str, module: nn.Module) -> Iterator[tuple[str, Site]]:
    for name, child in module.named_children():
        if isinstance(child, Attention):  # what it works with are heads of the module that it is in
            yield from ((f"{path}.{part}", Site(child, part)) for part in _OF_HEADS)
            continue
        if isinstance(module, MLP) and child is module.fc2:
            yield f"{path}.hidden", Site(child, "in")
        yield from _within(f"{path}.{name}", child)
