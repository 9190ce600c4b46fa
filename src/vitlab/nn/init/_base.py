"""The contract of an initialisation, and the one function that applies it.

Every parameter is drawn on its own from (seed, parameter name), on the CPU in single precision: so two models that
share a part start with the same weights in it, whatever else differs. That is what makes the seeds of a study paired.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from vitlab.base.spec import Component
from vitlab.nn.kinds import kind_of, owned_parameters
from vitlab.rng import host_seed


@dataclass(frozen=True)
class InitSpec(Component):
    """What every initialisation shares: the spread of tokens and of positions, and where the head's bias begins.

    `token_std`, `position_std`: standard deviations of cls and registers, and of position tables; these are cut at ±2
    where `position_cut` says so. `head_bias`: what every class's bias in a linear head begins with instead of what is
    drawn; AugReg's sigmoid loss begins at -6.9, a probability of 1/1000 (arXiv 2106.10270).
    """

    family: ClassVar[str] = "vitlab.nn.init"
    token_std: float = 1e-6
    position_std: float = 0.02
    position_cut: bool = True
    head_bias: float | None = None

    def fill_kernel(self, module: nn.Module, weight: Tensor, generator: Generator) -> None:
        """Draw the weight of a linear layer or a convolution, in place."""
        raise NotImplementedError

    def fill_bias(self, module: nn.Module, bias: Tensor, generator: Generator) -> None:
        """Draw the bias of a linear layer or a convolution, in place."""
        nn.init.zeros_(bias)

    def fill(self, module: nn.Module, name: str, tensor: Tensor, generator: Generator) -> None:
        """Draw any parameter, in place; norms and scales stay as they were built."""
        match kind_of(module, name):
            case "kernel":
                self.fill_kernel(module, tensor, generator)
            case "bias":
                self.fill_bias(module, tensor, generator)
            case "token":
                nn.init.normal_(tensor, std=self.token_std, generator=generator)
            case "position":
                draw = nn.init.trunc_normal_ if self.position_cut else nn.init.normal_
                draw(tensor, std=self.position_std, generator=generator)


def uniform_by_fan_in(module: nn.Module, tensor: Tensor, generator: Generator) -> None:
    """PyTorch's default for a linear layer or convolution, weight or bias: uniform on ±1/√fan_in, in place."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    bound = (weight.numel() / weight.shape[0]) ** -0.5
    nn.init.uniform_(tensor, -bound, bound, generator=generator)


@torch.no_grad()
def initialise(model: nn.Module, init: InitSpec, seed: int) -> None:
    """Give every parameter of `model` its initial value for `seed`."""
    for full_name, module, name, parameter in owned_parameters(model):
        drawn = parameter.detach().to("cpu", torch.float32, copy=True)
        if full_name == "head.bias" and init.head_bias is not None:
            drawn.fill_(init.head_bias)
        else:
            init.fill(module, name, drawn, Generator().manual_seed(host_seed(seed, full_name)))
        parameter.copy_(drawn)
