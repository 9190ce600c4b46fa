"""Gradient checkpointing (arXiv 1604.06174): activations are computed a second time rather than kept.

A block keeps nothing but its input; the backward pass runs it again, one block at a time. That costs a forward pass a
step and leaves the activations of one block, whatever the depth. Random numbers are hashes of the keys that the block
is handed again, so it drops the second time what it dropped the first, and the gradient is the same to the last bit.

Nothing here is about checkpoints on the disk; those are `vitlab.checkpoints`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils.checkpoint import checkpoint

from vitlab.base.errors import UserError
from vitlab.models.sites import Call, wrap
from vitlab.models.vit import ViT
from vitlab.nn.pos_embed._base import PosEmbed

_checkpoint = partial(checkpoint, use_reentrant=False, preserve_rng_state=False)


def checkpoint_blocks(model: ViT, runs: int, compiled: bool) -> None:
    """Have every block of a model, or of the model of several stacked runs, recompute its activations.

    Raises UserError where stacked runs are compiled: torch.compile does not follow a checkpoint out of `vmap`.
    """
    if runs > 1 and compiled:
        raise UserError(
            f"--checkpointing and --compile cannot be combined for {runs} runs at once; drop one, or train one by one"
        )
    for block in model.blocks:
        wrap(block, _checkpoint if runs == 1 else partial(_checkpoint_stacked, block))


def _checkpoint_stacked(
    block: nn.Module, call: Call, x: Tensor, positions: PosEmbed, keys: Tensor | None = None
) -> Tensor:
    """The call of a block inside `vmap`: [B, N, D] -> [B, N, D]"""
    module = _AsModule(block, positions, call)
    names, weights = zip(*module.named_parameters(), strict=True)

    def run(x: Tensor, keys: Tensor | None, places: Tensor | None, *weights: Tensor) -> Tensor:
        return functional_call(module, dict(zip(names, weights, strict=True)), (x, keys, places))

    return _OutsideVmap.apply(run, x, keys, positions.places, *weights)


class _AsModule(nn.Module):
    """A block's call, as a module that has all the parameters it needs: the block's and the positions'."""

    def __init__(self, block: nn.Module, positions: PosEmbed, call: Call):
        super().__init__()
        self.block, self.positions, self.call = block, positions.everywhere(), call

    def forward(self, x: Tensor, keys: Tensor | None, places: Tensor | None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return self.call(x, self.positions.at(places), keys)


class _OutsideVmap(torch.autograd.Function):
    """A checkpoint of a call that stands inside `vmap`.

    What one sees inside are batched views, and they end with `vmap`, long before the backward pass needs them. The
    rule that a Function has for `vmap` sees the tensors behind them, so the checkpoint stands there, around a `vmap` of
    its own.
    """

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Nothing is kept: the checkpoint has its own way back."""

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], run: Callable[..., Tensor], *given: Tensor
    ) -> tuple[Tensor, int]:
        """x, keys, places and weights, with the run axis where `in_dims` says -> [R, B, N, D] and its run axis"""
        return _checkpoint(vmap(run, in_dims[1:]), *given), 0
