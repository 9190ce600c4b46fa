"""Linformer: softmax(q (E k)ᵀ / √K) (F v), keys and values projected along tokens (arXiv 2006.04768, equation 7).

E and F are learned [m, N] matrices, shared by the attention heads of a block (the paper's headwise sharing); each block
has its own. The N × m weights are a distribution over the m projections; over tokens, softmax(…) F, they are none:
entries may be negative. Every token, prefix tokens too, has its own column, so the model knows positions even without
an embedding of them. O(N·m) time and memory. A bias for pairs of tokens has no place in it: keys are mixtures.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._softmax import softmax_attention, softmax_weights
from vitlab.nn.dims import BlockDims
from vitlab.nn.kernel import Kernel


class Linformer(Attention):
    """softmax(q (E k)ᵀ · scale) F v, with E `proj_k` and F `proj_v`, which is None where E serves both."""

    rows_sum_to_one = False
    kernel: Kernel = "fused"

    def __init__(self, tokens: int, rank: int, share_kv: bool, scale: float):
        super().__init__()
        self.scale = scale
        self.proj_k = nn.Linear(tokens, rank, bias=False)
        self.proj_v = None if share_kv else nn.Linear(tokens, rank, bias=False)

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        k, v = _along_tokens(self.proj_k, k), _along_tokens(self.proj_v or self.proj_k, v)
        return softmax_attention(q, k, v, self.scale, None, self.kernel)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]; rows need not sum to one."""
        return softmax_weights(q, _along_tokens(self.proj_k, k), self.scale) @ (self.proj_v or self.proj_k).weight


def _along_tokens(projection: nn.Module, x: Tensor) -> Tensor:
    """[B, H, N, K] -> [B, H, m, K]"""
    return projection(x.transpose(-2, -1)).transpose(-2, -1)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`rank`: m, how many keys and values remain; at most as many as tokens, and more is taken as that. `share_kv`: one
    matrix projects keys and values (the paper's key-value sharing).
    """

    needs_all_tokens: ClassVar[bool] = True
    accepts_bias: ClassVar[bool] = False
    rank: int = 64
    share_kv: bool = False

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise SpecError(f"attention.rank={self.rank}: must be at least 1")

    def build(self, dims: BlockDims) -> Attention:
        return Linformer(dims.num_tokens, min(self.rank, dims.num_tokens), self.share_kv, dims.head_dim**-0.5)
