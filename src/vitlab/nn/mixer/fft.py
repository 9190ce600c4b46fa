"""Fourier mixing: the real part of the discrete Fourier transform over tokens and channels (FNet, arXiv 2105.03824).

y = Re(F_N x F_D), F_n[j, k] = exp(-2πi jk / n) (section 3): tokens [B, N, D] -> [B, N, D]. No parameters, nothing to
learn, and every token's output depends on every token. Prefix tokens and patches are one sequence in raster order, as
any sequence there: the transform does not know that patches form rows.

Like the paper's it is not normalised: on normalised tokens its output is about √(N·D) times larger than its input.
FNet has its norm after the sum; in a block with the norm before it, layer scale or a learned projection must cope.
The transform is computed in float32 at least, as there is none in bfloat16. O(N log N) time, O(N) memory; the FLOPs
that vitlab counts are those of products, of which there are none.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.nn.dims import BlockDims
from vitlab.nn.mixer._base import Mixer, MixerSpec, output_dropout
from vitlab.nn.pos_embed._base import PosEmbed


class FFT(Mixer):
    """Re(F_N x F_D)"""

    def __init__(self, dims: BlockDims):
        super().__init__()
        self.drop = output_dropout(dims)

    def forward(self, x: Tensor, positions: PosEmbed, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> [B, N, D]"""
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        return self.drop(torch.fft.fft2(wide).real.to(x.dtype), keys)


@dataclass(frozen=True)
class Spec(MixerSpec):
    """No settings."""

    needs_all_tokens: ClassVar[bool] = True

    def build(self, dims: BlockDims) -> Mixer:
        return FFT(dims)
