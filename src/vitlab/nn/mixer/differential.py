"""Differential attention: one attention map minus λ times a second one (arXiv 2410.05258, equations 1 to 3).

    (softmax(q₁k₁ᵀ/√K + bias₁) - λ softmax(q₂k₂ᵀ/√K + bias₂)) v
    λ = exp(λ_q1·λ_k1) - exp(λ_q2·λ_k2) + λ_init,   λ_init = 0.8 - 0.6 exp(-0.3 · layer), layers counted from 0

tokens [B, N, D] -> [B, N, D]. Attention heads 2j and 2j + 1 are the two maps, and their values side by side (2K wide)
are what the difference weighs. The H/2 results are normalised, each over 2K, by one RMS norm `sub_norm`, and multiplied
by 1 - λ_init. Positions turn and bias all H heads as they do in self-attention. Any mechanism of the attention family
can make the maps; softmax is the paper's.

The paper halves the number of heads for a fair comparison; here `num_heads` counts the heads of both maps, so the
parameters are self-attention's but for 6K numbers. The λ vectors begin at 0.1, where the paper draws N(0, 0.1²): so λ
is λ_init exactly at first, and the entries of a vector, having the same gradient, move together. λ can still take
every value, since only the two inner products enter it. Parameter names are timm's.

Time and memory in tokens are the mechanism's: O(N²) for softmax, with half again the products of self-attention, since
each of H maps weighs 2K values. (Subtracting the maps first would take no more products and rule out a fused kernel.)
"""

from dataclasses import dataclass
from math import exp
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitlab.nn.dims import BlockDims
from vitlab.nn.kinds import Kind
from vitlab.nn.mixer._attending import Attending
from vitlab.nn.mixer._base import Mixer, MixerSpec
from vitlab.nn.pos_embed._base import PosEmbed


class Differential(Attending):
    """Attend with H heads, subtract the odd ones from the even ones."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {
        "lambda_q1": "scale",
        "lambda_k1": "scale",
        "lambda_q2": "scale",
        "lambda_k2": "scale",
    }

    def __init__(self, dims: BlockDims):
        super().__init__(dims)
        self.lambda_init = 0.8 - 0.6 * exp(-0.3 * dims.layer)
        for name in self.parameter_kinds:
            self.register_parameter(name, nn.Parameter(torch.full((dims.head_dim,), 0.1)))
        self.sub_norm = nn.RMSNorm(2 * dims.head_dim, eps=1e-5)  # eps as in the authors' code

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        q, k, v = self.queries_keys_values(x, positions)
        v = torch.cat([v[:, 0::2], v[:, 1::2]], dim=-1).repeat_interleave(2, dim=1)  # [B, H, N, 2K]
        difference = self._difference(self.attention(q, k, v, positions.bias(q), keys))  # [B, H/2, N, 2K]
        return self.output(self.sub_norm(difference) * (1 - self.lambda_init), keys)

    def weights(self, x: Tensor, positions: PosEmbed) -> Tensor:
        """[B, N, D] -> [B, H/2, N, N], a map a pair of heads. Softmax's rows sum to 1 - λ, with negative entries."""
        q, k, _ = self.queries_keys_values(x, positions)
        return self._difference(self.attention.weights(q, k, positions.bias(q)))

    def _difference(self, heads: Tensor) -> Tensor:
        """[B, H, ...] -> [B, H/2, ...]: of each pair of heads the first, less λ times the second"""
        return heads[:, 0::2] - self._lambda().to(heads.dtype) * heads[:, 1::2]

    def _lambda(self) -> Tensor:
        """A number, in single precision at least: in bf16 the difference of two exponentials near one is coarse."""
        q1, k1, q2, k2 = (_wide(getattr(self, name)) for name in self.parameter_kinds)
        return (q1 @ k1).exp() - (q2 @ k2).exp() + self.lambda_init


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


@dataclass(frozen=True)
class Spec(MixerSpec):
    """No settings of its own: the two maps of a pair are two of the model's `num_heads`, which must be even."""

    has_logits: ClassVar[bool] = True
    uses_attention: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> Mixer:
        return Differential(dims)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.num_heads % 2:
            return f"mixer=differential takes attention heads in pairs: num_heads={dims.num_heads} must be even"
        return None
