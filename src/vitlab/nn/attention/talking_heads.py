"""Talking-heads attention: heads exchange logits before the softmax and weights after it (arXiv 2003.02436).

P_w softmax(P_l (q kᵀ / √K) + bias) v, where P_l and P_w [H, H] mix the heads of one query and key; [B, H, N, K] three
times -> [B, H, N, K]. A position bias is added to what the softmax sees, after the first mixing, as in the authors'
code. Mixed weights may be negative and rows need not sum to one.

`proj_l` and `proj_w` are CaiT's and timm's names; those have biases too, the paper and this have none. They are drawn
as any linear layer is: by timm's initialisation both begin near zero, so weights begin near zero, as they do in timm.
O(N²) time and memory, with H² products for every query and key in each mixing, which rules a fused kernel out.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.dims import BlockDims


class TalkingHeads(Attention):
    """proj_w(softmax(proj_l(q kᵀ · scale) + bias)) v, the projections over the heads."""

    rows_sum_to_one = False

    def __init__(self, num_heads: int, scale: float):
        super().__init__()
        self.scale = scale
        self.proj_l = nn.Linear(num_heads, num_heads, bias=False)
        self.proj_w = nn.Linear(num_heads, num_heads, bias=False)

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        return self.weights(q, k, bias) @ v

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]"""
        logits = across_heads(self.proj_l, (q * self.scale) @ k.transpose(-2, -1))
        return across_heads(self.proj_w, (logits if bias is None else logits + bias).softmax(-1))


def across_heads(mix: nn.Module, maps: Tensor) -> Tensor:
    """[B, H, N, N] -> [B, H, N, N]: a linear layer over the heads, for every query and key on its own."""
    mixed: Tensor = mix(maps.movedim(1, -1))
    return mixed.movedim(-1, 1)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> Attention:
        return TalkingHeads(dims.num_heads, dims.head_dim**-0.5)
