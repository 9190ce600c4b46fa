"""Sigmoid attention: σ(q kᵀ / √K + bias + b) v, each key is weighted independently (arXiv 2409.04431, section 2).

[B, H, N, K] three times -> [B, H, N, K]. No normalisation couples the keys of a row, so rows of the weights do not sum
to one. The paper's b = -log N makes them begin near it: at logits of zero a row sums to N / (N + 1). A position bias is
added to the logits beside b. The layer scale and qk-norm that the paper adds are settings of the model here; its
hardware-aware kernel is not here, so this costs O(N²) time and memory.
"""

from dataclasses import dataclass
from math import log

from torch import Tensor

from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.dims import BlockDims


class Sigmoid(Attention):
    """σ(q kᵀ · scale + bias + shift) v"""

    rows_sum_to_one = False

    def __init__(self, scale: float, shift: float):
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        return self.weights(q, k, bias) @ v

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]"""
        logits = (q * self.scale) @ k.transpose(-2, -1) + self.shift
        return (logits if bias is None else logits + bias).sigmoid()


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`bias`: the constant b added to every logit; None is -log of the number of tokens, prefix tokens included."""

    bias: float | None = None

    def build(self, dims: BlockDims) -> Attention:
        return Sigmoid(dims.head_dim**-0.5, -log(dims.num_tokens) if self.bias is None else self.bias)
