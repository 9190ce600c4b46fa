"""Mixing by average pooling: a patch takes the mean of its neighbourhood minus itself (PoolFormer, arXiv 2111.11418).

y_p = mean of x over the size × size patches around p, minus x_p (equation 4): tokens [B, N, D] -> [B, N, D]. At borders
only patches that exist are counted. The subtraction undoes the block's residual for the token itself. No parameters.

PoolFormer has no prefix tokens. Here they stand nowhere on the grid, so their neighbourhood is the whole image: the
mean of all patches, minus themselves. That is ours. No patch sees a prefix token. O(N) time and memory.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._base import Mixer, MixerSpec, output_dropout
from vitlab.nn.pos_embed._base import PosEmbed


class Pooling(Mixer):
    """Mean of the neighbours - x"""

    def __init__(self, dims: BlockDims, size: int):
        super().__init__()
        self.grid, self.prefix, self.size = dims.grid, dims.num_prefix_tokens, size
        self.drop = output_dropout(dims)

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        patches = x[:, self.prefix :].transpose(1, 2)  # [B, D, L]
        image = patches.unflatten(2, self.grid)
        near = avg_pool2d(image, self.size, stride=1, padding=self.size // 2, count_include_pad=False).flatten(2)
        everywhere = patches.mean(2, keepdim=True).expand(-1, -1, self.prefix)
        return self.drop(torch.cat([everywhere, near], dim=2).transpose(1, 2) - x, keys)


@dataclass(frozen=True)
class Spec(MixerSpec):
    """`size`: the side of the neighbourhood in patches; 3 in the paper."""

    needs_all_tokens: ClassVar[bool] = True
    size: int = 3

    def __post_init__(self) -> None:
        if self.size <= 0 or self.size % 2 == 0:
            raise SpecError(f"mixer.size={self.size}: must be odd and positive, so that a patch is in the middle")

    def build(self, dims: BlockDims) -> Mixer:
        return Pooling(dims, self.size)
