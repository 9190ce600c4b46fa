"""Xavier's uniform initialisation: each matrix uniform on ±√(6 / (fan_in + fan_out)), biases zero.

Glorot & Bengio, AISTATS 2010, equation 16: signals keep their variance on the way forward and back. q, k and v are
matrices of their own. Tokens and positions have the family's spreads.
"""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from vitlab.nn.init._xavier import XavierSpec


@dataclass(frozen=True)
class Spec(XavierSpec):
    """`fused_qkv`: whether q, k and v that stand in one weight are drawn as one matrix, as R0's SL-ViT code does."""

    def draw(self, matrix: Tensor, generator: Generator) -> None:
        nn.init.xavier_uniform_(matrix, generator=generator)
