"""Nyström attention: softmax(q k̃ᵀ) pinv(softmax(q̃ k̃ᵀ)) softmax(q̃ kᵀ) v (arXiv 2102.03902, equations 13 to 15).

Logits are multiplied by 1/√K. The m landmarks q̃ and k̃ are the means of q and of k over m segments of neighbouring
tokens, prefix tokens among them. The pseudo-inverse is the paper's iteration. Weights are no distribution: entries may
be negative. O(N·m + m³) time and O(N·m + m²) memory.

What differs: the depth-wise convolution over v that the paper adds to the output is left out; where m does not divide
N, segments differ in length by one (the authors pad); the iteration starts from each matrix's own norms, where the
authors' default takes the largest of the batch, through which a sample would see its batch. A position bias has no
place in it: landmarks have no single position.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._softmax import softmax_attention, softmax_weights
from vitlab.nn.dims import BlockDims
from vitlab.nn.kernel import Kernel


class Nystrom(Attention):
    """Softmax attention by way of m landmarks."""

    rows_sum_to_one = False
    kernel: Kernel = "fused"

    def __init__(self, landmarks: int, iterations: int, scale: float):
        super().__init__()
        self.landmarks, self.iterations, self.scale = landmarks, iterations, scale

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        q_marks, k_marks, inverse = self._core(q, k)
        values = inverse @ softmax_attention(q_marks, k, v, self.scale, None, self.kernel)  # [B, H, m, K]
        return softmax_attention(q, k_marks, values, self.scale, None, self.kernel)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]; rows need not sum to one."""
        q_marks, k_marks, inverse = self._core(q, k)
        return softmax_weights(q, k_marks, self.scale) @ inverse @ softmax_weights(q_marks, k, self.scale)

    def _core(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Landmarks [B, H, m, K] of q and of k, and the pseudo-inverse of the weights between them [B, H, m, m]."""
        q_marks, k_marks = segment_means(q, self.landmarks), segment_means(k, self.landmarks)
        between = softmax_weights(q_marks, k_marks, self.scale)
        return q_marks, k_marks, pseudo_inverse(between, self.iterations)


def segment_means(x: Tensor, count: int) -> Tensor:
    """[B, H, N, K] -> [B, H, count, K]: means over segments; the first N mod count of them are one token longer."""
    length, longer = divmod(x.shape[-2], count)
    if not longer:
        return x.unflatten(-2, (count, length)).mean(-2)
    first, rest = x.split([longer * (length + 1), (count - longer) * length], dim=-2)
    means = [first.unflatten(-2, (longer, length + 1)).mean(-2), rest.unflatten(-2, (count - longer, length)).mean(-2)]
    return torch.cat(means, dim=-2)


def pseudo_inverse(matrix: Tensor, iterations: int) -> Tensor:
    """softmax weights [B, H, m, m] -> their Moore-Penrose inverse, nearly (equation 14):

        z ← z (13 - az (15 - az (7 - az))) / 4    from    z = aᵀ / (‖a‖₁ ‖a‖∞)

    Rows of a sum to one, so ‖a‖∞ is one. In single precision at least: half of it loses an inverse.
    """
    a = matrix.flatten(0, -3).to(torch.promote_types(matrix.dtype, torch.float32))
    z = a.transpose(1, 2) / a.sum(1).amax(-1)[:, None, None]
    for _ in range(iterations):
        az = torch.bmm(a, z)
        inner = torch.baddbmm(az, az, az, beta=7, alpha=-1)
        middle = torch.baddbmm(az, az, inner, beta=15, alpha=-1)
        z = torch.baddbmm(z, z, middle, beta=13 / 4, alpha=-1 / 4)
    return z.to(matrix.dtype).unflatten(0, matrix.shape[:-2])


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`landmarks`: m; at most as many as tokens, and more is taken as that. `iterations` of the pseudo-inverse: few of
    them damp it where landmarks are alike and an exact inverse would blow up, so more are not always nearer to softmax.
    """

    needs_all_tokens: ClassVar[bool] = True
    accepts_bias: ClassVar[bool] = False
    landmarks: int = 64
    iterations: int = 6

    def __post_init__(self) -> None:
        for name in ("landmarks", "iterations"):
            if getattr(self, name) < 1:
                raise SpecError(f"attention.{name}={getattr(self, name)}: must be at least 1")
        if self.iterations > 1000:
            raise SpecError(f"attention.iterations={self.iterations}: at most 1,000")

    def build(self, dims: BlockDims) -> Attention:
        return Nystrom(min(self.landmarks, dims.num_tokens), self.iterations, dims.head_dim**-0.5)
