"""Gated MLP with one matrix for gate and value: fc2(silu(g) * x), where g and x are the halves of fc1's output.

The width M is that of both together, so that the middle is M/2 wide: DINOv2's giant (arXiv 2304.07193, appendix B).
Names and the order gate-first are those of timm's `GluMlp` as that model has it. It is the function of `swiglu` with
half the ratio; apart are the parameters' names and what an initialisation sees.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import silu

from vitlab.nn.dims import BlockDims
from vitlab.nn.mlp._base import MLP, MLPSpec
from vitlab.nn.packed import PackedLinear


class PackedSwiGLU(MLP):
    """silu of the first half times the second"""

    def __init__(self, dims: BlockDims):
        super().__init__()
        half = dims.mlp_dim // 2
        self.fc1 = PackedLinear(dims.embed_dim, half, 2, bias=dims.mlp_bias)
        self.end(dims, half)

    def hidden(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, M/2]"""
        gate, value = self.fc1(x).chunk(2, dim=-1)
        return silu(gate) * value


@dataclass(frozen=True)
class Spec(MLPSpec):
    """No settings of its own; the MLP's width must be even."""

    def build(self, dims: BlockDims) -> nn.Module:
        return PackedSwiGLU(dims)

    def conflict(self, dims: BlockDims) -> str | None:
        if dims.mlp_dim % 2:
            return f"mlp=packed_swiglu halves its width: mlp_ratio makes it {dims.mlp_dim}, which must be even"
        return None
