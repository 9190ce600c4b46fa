"""Xavier's rule (Glorot & Bengio, AISTATS 2010): a matrix of variance 2 / (fan_in + fan_out), however drawn.

The rule is about matrices, and a weight may hold several: q, k and v in one `PackedLinear`. A convolution whose stride
is its kernel, such as a patch embedding, is a matrix too, as MAE treats it; any other has PyTorch's fans.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from vitlab.nn.init._base import InitSpec
from vitlab.nn.packed import PackedLinear


def matrices(module: nn.Module, weight: Tensor) -> Sequence[Tensor]:
    """The matrices that stand in a weight, as views of it."""
    if isinstance(module, PackedLinear):
        return weight.chunk(module.parts)
    if isinstance(module, nn.Conv2d) and module.stride == module.kernel_size:
        return [weight.flatten(1)]
    return [weight]


@dataclass(frozen=True)
class XavierSpec(InitSpec):
    """`fused_qkv`: whether q, k and v that stand in one weight count as one matrix with three times the outputs.

    Code that calls PyTorch's function on a fused weight does so, SL-ViT's for one, and draws them 1/√2 as large where
    heads fill the width.
    """

    fused_qkv: bool = False

    def draw(self, matrix: Tensor, generator: Generator) -> None:
        """Draw one matrix, or the weight of a convolution, in place."""
        raise NotImplementedError

    def fill_kernel(self, name: str, module: nn.Module, weight: Tensor, generator: Generator) -> None:
        fused = self.fused_qkv and isinstance(module, PackedLinear)
        for matrix in [weight] if fused else matrices(module, weight):
            self.draw(matrix, generator)
