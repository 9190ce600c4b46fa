"""Xavier's normal initialisation: each matrix from N(0, 2 / (fan_in + fan_out)), biases zero.

The variance of Glorot & Bengio, AISTATS 2010, equation 12. q, k and v are matrices of their own. Tokens and positions
have the family's spreads; R0's SPT and LSA rows draw both from N(0, 1), which is `token_std=1`, `position_std=1` and
`position_cut=false`.
"""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from vitlab.nn.init._xavier import XavierSpec


@dataclass(frozen=True)
class Spec(XavierSpec):
    """`fused_qkv`: whether q, k and v that stand in one weight are drawn as one matrix, as R0's SL-ViT code does."""

    def draw(self, matrix: Tensor, generator: Generator) -> None:
        nn.init.xavier_normal_(matrix, generator=generator)
