"""PyTorch's default: weights and biases uniform on ±1/√fan_in (Kaiming uniform with a = √5).

With cls drawn from N(0, 1e-6) and positions from a normal of spread .02 cut at ±2, this is R0's initialisation.
"""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from vitlab.nn.init._base import InitSpec, uniform_by_fan_in


@dataclass(frozen=True)
class Spec(InitSpec):
    """Only the spreads of tokens and positions."""

    def fill_kernel(self, name: str, module: nn.Module, weight: Tensor, generator: Generator) -> None:
        uniform_by_fan_in(weight, weight, generator)

    def fill_bias(self, name: str, module: nn.Module, bias: Tensor, generator: Generator) -> None:
        weight = module.weight
        assert isinstance(weight, Tensor)
        uniform_by_fan_in(weight, bias, generator)
