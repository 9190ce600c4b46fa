"""Gated positional self-attention: each head mixes attention by content and by position (ConViT, arXiv 2103.10697).

    A = (1 - σ(λ)) softmax(q kᵀ / √K + bias) + σ(λ) softmax(v_pos · r_ij)      (section 3)
    r_ij = (dx, dy, dx² + dy²), the offset from patch i to patch j in columns and rows

[B, H, N, K] three times -> [B, H, N, K]. Each head owns v_pos, a row of `pos_proj` [H, 3], and the gate λ, an entry of
`gating_param` [H], which begins at 1. v_pos begins local: α(2cx, 2cy, -1) is, up to a constant, -α times the squared
distance to the patch at offset (cx, cy), and the heads' centres c fill a √H × √H grid around the query, as the taps of
a convolution do. If H is no square, the first ⌊√H⌋² heads fill the smaller grid, as in timm; the others begin with
v_pos = 0, looking at all patches alike.

Both softmaxes have rows that sum to one, so A has, and the paper's normalisation of A is left out. timm's `pos_proj`
has a bias besides: one number a head, which the softmax ignores. The paper begins with values v = x; here they are
drawn as any projection's. Prefix tokens, which the paper keeps out of these layers, stand nowhere: their own rows are
content alone, and the positional part of a patch's row is over patches. The bias of another position embedding is
added to the content's logits.

O(N²) time for the content, memory as its kernel has it. Positions cost O(N√N) on a square grid: their softmax is a
product of one over columns and one over rows, because dx and dy appear in a sum.
"""

from dataclasses import dataclass
from math import isqrt
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vitlab.base.errors import SpecError
from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.attention._softmax import softmax_attention, softmax_weights
from vitlab.nn.constants import constant
from vitlab.nn.dims import BlockDims
from vitlab.nn.kernel import Kernel
from vitlab.nn.kinds import Kind


@constant
def local_heads(num_heads: int, strength: float) -> Tensor:
    """[H, 3]: v_pos of heads that look at one neighbour of their query each; zero for heads that are left over."""
    side = isqrt(num_heads)
    centres = torch.arange(side) - (side - 1) / 2
    cy, cx = torch.meshgrid(centres, centres, indexing="xy")  # timm's order of heads: rows run fastest
    local = torch.stack([2 * cx, 2 * cy, -torch.ones_like(cx)], dim=-1).flatten(0, 1)
    return strength * pad(local, (0, 0, 0, num_heads - side**2))


@constant
def offsets(length: int) -> Tensor:
    """[length, length]: from place i to place j along one axis."""
    places = torch.arange(length, dtype=torch.get_default_dtype())
    return places[None, :] - places[:, None]


class GPSA(Attention):
    """(1 - gate) · content + gate · position, the gate zero for prefix tokens."""

    parameter_kinds: ClassVar[dict[str, Kind]] = {"pos_proj": "scale", "gating_param": "scale"}
    kernel: Kernel = "fused"
    dx: Tensor
    dy: Tensor

    def __init__(self, dims: BlockDims, strength: float):
        super().__init__()
        self.scale, self.grid, self.prefix = dims.head_dim**-0.5, dims.grid, dims.num_prefix_tokens
        self.pos_proj = nn.Parameter(local_heads(dims.num_heads, strength))
        self.gating_param = nn.Parameter(torch.ones(dims.num_heads))
        self.register_buffer("dx", offsets(dims.grid[1]), persistent=False)
        self.register_buffer("dy", offsets(dims.grid[0]), persistent=False)

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None
    ) -> Tensor:
        """[B, H, N, K] three times -> [B, H, N, K]"""
        content = softmax_attention(q, k, v, self.scale, bias, self.kernel)
        prefix, patches = content[:, :, : self.prefix], content[:, :, self.prefix :]
        gate = self.gating_param.sigmoid()[:, None, None]
        return torch.cat([prefix, patches + gate * (self._at_places(v[:, :, self.prefix :]) - patches)], dim=2)

    def weights(self, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
        """[B, H, N, K] twice -> [B, H, N, N]; rows sum to one."""
        content, position = softmax_weights(q, k, self.scale, bias), self.positional()
        gate = self.gating_param.sigmoid()[:, None, None].expand(-1, position.shape[1], 1)
        gate, position = pad(gate, (0, 0, self.prefix, 0)), pad(position, (self.prefix, 0, self.prefix, 0))
        return (1 - gate) * content + gate * position

    def positional(self) -> Tensor:
        """[H, L, L]: softmax(v_pos · r_ij), patch by patch."""
        rows, columns = self.grid
        dx = self.dx.repeat(rows, rows)
        dy = self.dy.repeat_interleave(columns, 0).repeat_interleave(columns, 1)
        r = torch.stack([dx, dy, dx**2 + dy**2])
        return torch.einsum("hr,rij->hij", self.pos_proj, r).softmax(-1)

    def _at_places(self, v: Tensor) -> Tensor:
        """`positional() @ v`, first along rows and then along columns: [B, H, L, K] -> [B, H, L, K]"""
        x, y, square = self.pos_proj[:, :, None, None].unbind(1)
        across = (x * self.dx + square * self.dx**2).softmax(-1)  # [H, columns, columns]
        down = (y * self.dy + square * self.dy**2).softmax(-1)  # [H, rows, rows]
        image = across[:, None] @ v.unflatten(2, self.grid)  # [B, H, rows, columns, K]
        return (down @ image.flatten(3)).unflatten(3, image.shape[3:]).flatten(2, 3)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`locality_strength`: the paper's α, how narrowly heads look at their centre in the beginning; 0: not at all."""

    needs_all_tokens: ClassVar[bool] = True
    locality_strength: float = 1.0

    def __post_init__(self) -> None:
        if self.locality_strength < 0:
            raise SpecError(f"attention.locality_strength={self.locality_strength}: must not be negative")

    def build(self, dims: BlockDims) -> Attention:
        return GPSA(dims, self.locality_strength)
