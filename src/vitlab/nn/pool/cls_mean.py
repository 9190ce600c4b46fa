"""The cls token and the mean of the patch tokens side by side, [cls ‖ mean], 2D wide.

What DINOv2's linear classifiers of one layer read (arXiv 2304.07193; `dinov2/hub/classifiers.py` of the authors' code).
Other prefix tokens are left out. O(N); the head has twice the weights.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.nn.dims import BlockDims
from vitlab.nn.pool._base import Pool, PoolSpec
from vitlab.nn.pool._patch_mean import PatchMean


class ClsMean(PatchMean):
    """The first token, then the mean of the patches."""

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, 2D]"""
        return torch.cat([tokens[:, 0], super().forward(tokens)], dim=-1)


@dataclass(frozen=True)
class Spec(PoolSpec):
    """No settings."""

    needs_cls_token: ClassVar[bool] = True
    times_wider: ClassVar[int] = 2

    def build(self, dims: BlockDims) -> Pool:
        return ClsMean(dims.num_prefix_tokens)
