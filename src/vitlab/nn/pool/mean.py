"""The mean of the patch tokens; prefix tokens are left out (the ViT paper's "GAP", arXiv 2010.11929, appendix D.3).

With a linear head and no norm after the pooling this equals the mean of per-token logits, TomViT's way to say it;
`mean_logits` takes that mean under any head. O(N).

With `prefix` the mean is over all tokens, cls and registers too.
"""

from dataclasses import dataclass

from vitlab.base.spec import added
from vitlab.nn.dims import BlockDims
from vitlab.nn.pool._base import Pool, PoolSpec
from vitlab.nn.pool._patch_mean import PatchMean


@dataclass(frozen=True)
class Spec(PoolSpec):
    """`prefix`: whether prefix tokens count."""

    prefix: bool = added(False)

    def build(self, dims: BlockDims) -> Pool:
        return PatchMean(0 if self.prefix else dims.num_prefix_tokens)
