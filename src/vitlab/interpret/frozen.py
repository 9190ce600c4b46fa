"""Norms whose divisors are held fixed, so that a sum that goes through them stays a sum.

A layer norm is (x - mean x) / d(x) · weight + bias, an RMS norm x / d(x) · weight. With d at what it is for the x at
hand both are affine in x: what each part of x makes of the result can be told, and the parts add up to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from vitlab.models.sites import Call, wrapped
from vitlab.models.vit import ViT

Divisors = dict[nn.Module, list[Tensor]]  # of every norm, one a call


@contextmanager
def frozen_norms(model: ViT, known: Divisors | None = None) -> Iterator[Divisors]:
    """Every layer norm and RMS norm with fixed divisors while the block runs: those of its own input, which are kept in
    the order of the calls; or those that are `known`, whatever the input.
    """
    kept: Divisors = {}
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm | nn.RMSNorm)]

    def norm(module: nn.LayerNorm | nn.RMSNorm, call: Call, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True) if isinstance(module, nn.LayerNorm) else x
        calls = kept.setdefault(module, [])
        divisor = _divisor(module, centred) if known is None else known[module][len(calls)]
        calls.append(divisor)
        scaled = centred / divisor
        weighted = scaled if module.weight is None else scaled * module.weight
        bias = getattr(module, "bias", None)
        return weighted if bias is None else weighted + bias

    with wrapped((module, partial(norm, module)) for module in norms):
        yield kept


def _divisor(module: nn.LayerNorm | nn.RMSNorm, centred: Tensor) -> Tensor:
    eps = torch.finfo(centred.dtype).eps if module.eps is None else module.eps
    return (centred.square().mean(-1, keepdim=True) + eps).sqrt().detach()
