"""Performer: softmax attention from positive random features, FAVOR+ (arXiv 2009.14794, sections 2.3 and 2.4).

    weights = φ(q) φ(k)ᵀ / row sums      φ(x) = exp(ω x' - |x'|²/2 - stabiliser) + eps      x' = x / K^¼

With eps 0, φ(q) · φ(k) / F has the expectation exp(q · k / √K) over the F rows of ω, which are N(0, 1) vectors; in
blocks of K they are orthogonal, which lowers the variance (equation 6, theorem 2). ω is [F, K] for each attention head.
O(N·F·K) time and O(N·F) memory: the N × N weights are never formed. A position bias has no place in it: there are no
logits. Rows of the weights sum to one, whatever eps is.

The stabiliser, which keeps exp from overflowing, is constant along what a row is normalised over: the largest ω x' of a
query's features, the largest of a sample's keys in one attention head. It cancels but for eps and is held constant in
the gradient. The paper's 1/√F cancels too and is left out.

What differs: every attention head has its own ω, and with `redraw` every sample of every training step (the authors'
code draws one for all, every so many steps), so that results do not depend on how a batch is split.
"""

from dataclasses import dataclass
from math import ceil, log, tau
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._features import exactly, feature_attention, feature_weights
from vitlab.nn.dims import BlockDims
from vitlab.rng import uniform

_MOST_FEATURES = 1 << 16  # beyond which the features alone fill the memory, and softmax is the faster one


class Performer(Attention):
    """Weights proportional to φ(q) · φ(k) with random features φ; `omega` [H, F, K] are the fixed ones."""

    omega: Tensor

    def __init__(self, dims: BlockDims, features: int, orthogonal: bool, redraw: bool, eps: float):
        super().__init__()
        self.shape = (dims.num_heads, features, dims.head_dim)
        self.orthogonal, self.redraw, self.eps = orthogonal, redraw, eps
        self.tag = f"{dims.place}.attention.omega"
        fixed = self.draw(torch.zeros((), dtype=torch.int64), torch.float64)  # of the place alone: the same for all
        self.register_buffer("omega", fixed.to(torch.get_default_dtype()), persistent=False)

    def draw(self, keys: Tensor, dtype: torch.dtype) -> Tensor:
        """keys [...] -> ω [..., H, F, K], a function of the key and the place in the model"""
        heads, features, width = self.shape
        blocks = ceil(features / width)
        normal = gaussian(keys, self.tag, heads * blocks * width * width, dtype)
        square = normal.unflatten(-1, (heads, blocks, width, width))
        rows = orthogonal_gaussian(square) if self.orthogonal else square
        return rows.flatten(-3, -2)[..., :features, :]

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        omega = self.omega
        if self.redraw and keys is not None:
            omega = self.draw(keys, torch.promote_types(q.dtype, torch.float32))
        return feature_attention(*self._features(q, k, omega), v)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N], with the fixed features; rows sum to one."""
        return feature_weights(*self._features(q, k, self.omega)).to(q.dtype)

    def _features(self, q: Tensor, k: Tensor, omega: Tensor) -> tuple[Tensor, Tensor]:
        """[B, H, N, K] twice and ω [(B,) H, F, K] -> φ [B, H, N, F] of each"""
        (q, k), width = exactly(q, k), q.shape[-1]
        across = (omega * width**-0.25).to(q.dtype).transpose(-2, -1)
        projected_q, projected_k = q @ across, k @ across
        top_q = projected_q.detach().amax(-1, keepdim=True)
        top_k = projected_k.detach().amax((-2, -1), keepdim=True)
        half_q, half_k = (x.square().sum(-1, keepdim=True) / (2 * width**0.5) for x in (q, k))
        return (projected_q - (half_q + top_q)).exp() + self.eps, (projected_k - (half_k + top_k)).exp() + self.eps


def gaussian(keys: Tensor, name: str, count: int, dtype: torch.dtype) -> Tensor:
    """keys [...] -> [..., count] from N(0, 1), by Box and Muller's transform."""
    pairs = ceil(count / 2)
    radius, angle = uniform(keys, name, 2 * pairs).to(dtype).split(pairs, dim=-1)
    radius, angle = (-2 * (1 - radius).log()).sqrt(), tau * angle  # 1 - radius is never 0
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=-1)[..., :count]


def orthogonal_gaussian(square: Tensor) -> Tensor:
    """Gaussian matrices [..., K, K] -> orthogonal rows [..., K, K], each of which is an N(0, 1) vector.

    In square = Q R with a positive diagonal of R, Q is uniformly distributed (Haar) and independent of R. So are the
    lengths of square's columns, which are those of R's: they are the lengths of the K independent vectors.
    """
    q, r = torch.linalg.qr(square)
    signs = r.diagonal(dim1=-2, dim2=-1).sign()
    return (q * (signs * square.norm(dim=-2))[..., None, :]).transpose(-2, -1)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`features`: F, how many; None is K ln K rounded down, but at least K (as in performer_pytorch; the paper asks for
    the order of K ln K, the authors' code takes 256). `orthogonal`: in blocks of K. `redraw`: draw them anew for every
    sample of a training step, which takes a QR decomposition for each sample, head and block; evaluation and `weights`
    take the fixed ones. `eps`: added to every feature, 1e-4 as in the authors' code.
    """

    accepts_bias: ClassVar[bool] = False
    features: int | None = None
    orthogonal: bool = True
    redraw: bool = False
    eps: float = 1e-4

    def __post_init__(self) -> None:
        if self.features is not None and not 1 <= self.features <= _MOST_FEATURES:
            raise SpecError(
                f"attention.features={self.features}: must be from 1 to {_MOST_FEATURES:,}, or null for head_dim · ln "
                "head_dim"
            )
        if self.eps <= 0:
            raise SpecError(f"attention.eps={self.eps}: must be positive, or tokens without features divide by zero")

    def build(self, dims: BlockDims) -> Attention:
        features = self.features or max(dims.head_dim, int(dims.head_dim * log(dims.head_dim)))
        return Performer(dims, features, self.orthogonal, self.redraw, self.eps)
