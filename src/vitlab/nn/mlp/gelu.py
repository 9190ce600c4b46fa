"""Two layers with GELU between, x·Φ(x) (arXiv 1606.08415): the ViT paper's MLP."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn
from torch.nn.functional import gelu

from vitlab.base.spec import added
from vitlab.nn.dims import BlockDims
from vitlab.nn.mlp._base import MLPSpec, TwoLayerMLP


@dataclass(frozen=True)
class Spec(MLPSpec):
    """`approximate`: "tanh" is the paper's own approximation, which SigLIP and JAX's default have; "none" the exact
    form.
    """

    approximate: Literal["none", "tanh"] = added("none")

    def build(self, dims: BlockDims) -> nn.Module:
        return TwoLayerMLP(dims, partial(gelu, approximate=self.approximate))
