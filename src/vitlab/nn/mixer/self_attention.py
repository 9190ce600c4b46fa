"""Multi-head self-attention (arXiv 1706.03762, section 3.2.2) around any mechanism of the attention family.

tokens [B, N, D] -> [B, N, D]: what each head attends to, [B, H, N, K], side by side through `proj`. Its cost in tokens
is the mechanism's.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._attending import Attending
from vitlab.nn.mixer._base import Mixer, MixerSpec
from vitlab.nn.pos_embed._base import PosEmbed


class SelfAttention(Attending):
    """Project to q, k, v; let positions act; attend; project back."""

    def __init__(self, dims: BlockDims):
        super().__init__(dims)
        self.rows_sum_to_one = self.attention.rows_sum_to_one

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        q, k, v = self.queries_keys_values(x, positions)
        return self.output(self.attention(q, k, v, positions.bias(q), keys), keys)

    def weights(self, x: Tensor, positions: PosEmbed) -> Tensor:
        """[B, N, D] -> [B, H, N, N]"""
        q, k, _ = self.queries_keys_values(x, positions)
        return self.attention.weights(q, k, positions.bias(q))


@dataclass(frozen=True)
class Spec(MixerSpec):
    """No settings of its own: heads, biases and qk-norm are fields of the model."""

    has_logits: ClassVar[bool] = True
    uses_attention: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> Mixer:
        return SelfAttention(dims)
