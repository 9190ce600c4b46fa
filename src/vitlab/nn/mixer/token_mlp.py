"""Token mixing by an MLP: each channel's column of tokens goes through the same two layers (arXiv 2105.01601, eq. 1).

y = (W₂ gelu(W₁ x)): W₁ [hidden, N] and W₂ [N, hidden] act on the N tokens of every channel, each layer with a bias;
tokens [B, N, D] -> [B, N, D]. `fc1` and `fc2` are the names inside timm's `mlp_tokens`. The number of tokens is fixed,
and each token has weights of its own, so there is no permutation of patches that the model would not notice.

MLP-Mixer has no prefix tokens; here they are tokens like the others, with rows and columns of their own. Cost in
tokens is O(N · hidden) a channel, which is O(N) for a fixed `hidden`.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import gelu

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._base import Mixer, MixerSpec, output_dropout
from vitlab.nn.pos_embed._base import PosEmbed


class TokenMLP(Mixer):
    """fc2(gelu(fc1)) along the tokens"""

    def __init__(self, dims: BlockDims, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(dims.num_tokens, hidden)
        self.fc2 = nn.Linear(hidden, dims.num_tokens)
        self.drop = output_dropout(dims)

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        return self.drop(self.fc2(gelu(self.fc1(x.transpose(1, 2)))).transpose(1, 2), keys)


@dataclass(frozen=True)
class Spec(MixerSpec):
    """`hidden`: the width between the layers; None is embed_dim // 2, as in every model of the paper (table 1)."""

    needs_all_tokens: ClassVar[bool] = True
    hidden: int | None = None

    def __post_init__(self) -> None:
        if self.hidden is not None and self.hidden <= 0:
            raise SpecError(f"mixer.hidden={self.hidden}: must be positive, or null for embed_dim // 2")

    def build(self, dims: BlockDims) -> Mixer:
        return TokenMLP(dims, dims.embed_dim // 2 if self.hidden is None else self.hidden)

    def conflict(self, dims: BlockDims) -> str | None:
        if self.hidden is None and dims.embed_dim < 2:
            return f"mixer=token_mlp needs a width: set mixer.hidden, since embed_dim={dims.embed_dim} has no half"
        return None
