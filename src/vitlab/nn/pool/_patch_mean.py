"""The mean of the patch tokens, prefix tokens left out: the representation of both poolings that average."""

from torch import Tensor

from vitlab.nn.pool._base import Pool


class PatchMean(Pool):
    """The mean over the L patch tokens."""

    def __init__(self, num_prefix_tokens: int):
        super().__init__()
        self.num_prefix_tokens = num_prefix_tokens

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, N, D] -> [B, D]"""
        return tokens[:, self.num_prefix_tokens :].mean(dim=1)
