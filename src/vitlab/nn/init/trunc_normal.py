"""timm's initialisation of a ViT: matrices from a normal of spread .02 cut at ±2, biases zero.

Convolutions keep PyTorch's default, as there (`init_weights_vit_timm` touches linear layers only).
"""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from vitlab.nn.init._base import InitSpec, uniform_by_fan_in


@dataclass(frozen=True)
class Spec(InitSpec):
    """`std`: the spread of linear weights."""

    std: float = 0.02

    def fill_kernel(self, name: str, module: nn.Module, weight: Tensor, generator: Generator) -> None:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            uniform_by_fan_in(weight, weight, generator)
        else:
            nn.init.trunc_normal_(weight, std=self.std, generator=generator)
