"""What can be knocked out of a model, and where.

head        what one attention head takes from the values: blocks.3.attn.z.2
attention   all heads of a mixer at once; of a mixer without any, what it gives: blocks.3.attn
mlp         what an MLP gives: blocks.3.mlp
cls, register, pos_embed    a token of the model's own, or its positions: they are the same for every image
patches     a quarter of the picture's patches, before positions: patches.top_left, top_right, bottom_left …
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch

from vitlab.interpret.grid import grid_of
from vitlab.interpret.sites import beginnings
from vitlab.models.vit import ViT
from vitlab.nn.mlp._base import MLP

Kind = Literal["head", "attention", "mlp", "cls", "register", "pos_embed", "patches"]
Index = tuple[Any, ...]  # of an activation [B, ...]: what of it is replaced
_ALL: Index = (slice(None),)


@dataclass(frozen=True)
class Knockout:
    """One part: its name, its kind, and which of an activation is replaced. `act` is the site of that inside of block
    `layer`; -1 for what comes before the blocks.
    """

    site: str
    kind: Kind
    layer: int = -1
    act: str = ""
    index: Index = _ALL


def knockouts(model: ViT) -> list[Knockout]:
    """All parts of a model that can be knocked out, in the order of the computation."""
    return [*_patches(model), *_own(model), *_inside(model)]


def _patches(model: ViT) -> Iterator[Knockout]:
    """Quarters of the grid, as even as it can be cut; of a grid of one row or column there are fewer."""
    grid = grid_of(model)
    numbers = torch.arange(grid.rows * grid.columns).unflatten(0, (grid.rows, grid.columns))
    halves = [("top", numbers[: grid.rows // 2]), ("bottom", numbers[grid.rows // 2 :])]
    for down, half in halves:
        sides = [("left", half[:, : grid.columns // 2]), ("right", half[:, grid.columns // 2 :])]
        for across, quarter in sides:
            if quarter.numel():
                yield Knockout(f"patches.{down}_{across}", "patches", index=(slice(None), quarter.flatten()))


def _own(model: ViT) -> Iterator[Knockout]:
    """The model's own tokens and its positions."""
    spec = model.spec
    if spec.cls_token:
        yield Knockout("cls_token", "cls", index=(slice(None), 0))
    first = model.num_prefix_tokens - spec.num_registers
    for number in range(spec.num_registers):
        yield Knockout(f"reg_token.{number}", "register", index=(slice(None), first + number))
    if spec.pos_embed.name != "none":
        yield Knockout("pos_embed", "pos_embed")


def _inside(model: ViT) -> Iterator[Knockout]:
    """The parts of all blocks: heads, then the mixer as a whole, then the MLP."""
    for name, site in beginnings(model).items():
        layer = int(name.split(".")[1])
        if site.part == "z":
            mixer = name.removesuffix(".z")
            heads = _num_heads(model.get_submodule(mixer))
            yield from (Knockout(f"{name}.{head}", "head", layer, name, (slice(None), head)) for head in range(heads))
            yield Knockout(mixer, "attention", layer, name)
        else:
            yield Knockout(name, "mlp" if isinstance(site.module, MLP) else "attention", layer, name)


def _num_heads(mixer: torch.nn.Module) -> int:
    heads = mixer.num_heads
    assert isinstance(heads, int)
    return heads
