"""The contract of an initialisation, and the one function that applies it.

Every parameter is drawn on its own from (seed, parameter name), on the CPU in single precision: so two models that
share a part start with the same weights in it, whatever else differs, so that cells of a study that are trained with
one seed begin alike as far as they can. Rows of a table that belong to prefix tokens are drawn one by one, so that the
position of a patch is the same with a class token and without.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from vitlab.base.spec import Component
from vitlab.nn.head._base import Logits
from vitlab.nn.kinds import kind_of, owned_parameters, sections
from vitlab.rng import host_seed


@dataclass(frozen=True)
class InitSpec(Component):
    """What every initialisation shares: the spread of tokens and of positions, and how the head begins.

    `token_std`, `position_std`: standard deviations of learned tokens (cls, dist, registers, the query of attention
    pooling), and of position tables; these are cut at ±2 where `position_cut` says so. `head_bias`: what every class's
    bias in a head's last layer begins with instead of what is drawn; AugReg's sigmoid loss begins at -6.9, a
    probability of 1/1000 (arXiv 2106.10270). `zero_head`: the weight of that layer begins at zero, so that every class
    is as likely as its bias says, whatever the image.
    """

    family: ClassVar[str] = "vitlab.nn.init"
    token_std: float = 1e-6
    position_std: float = 0.02
    position_cut: bool = True
    head_bias: float | None = None
    zero_head: bool = False

    def fill_kernel(self, name: str, module: nn.Module, weight: Tensor, generator: Generator) -> None:
        """Draw the kernel whose full name in the model is `name`, in place; `module` owns it."""
        raise NotImplementedError

    def fill_bias(self, name: str, module: nn.Module, bias: Tensor, generator: Generator) -> None:
        """Draw the bias whose full name in the model is `name`, in place; `module` owns it."""
        nn.init.zeros_(bias)

    def fill(self, name: str, module: nn.Module, tensor: Tensor, generator: Generator) -> None:
        """Draw any parameter, in place; norms and scales stay as they were built."""
        match kind_of(module, name.rpartition(".")[2]):
            case "kernel" if self.zero_head and isinstance(module, Logits):
                nn.init.zeros_(tensor)
            case "kernel":
                self.fill_kernel(name, module, tensor, generator)
            case "bias" if self.head_bias is not None and isinstance(module, Logits):
                nn.init.constant_(tensor, self.head_bias)
            case "bias":
                self.fill_bias(name, module, tensor, generator)
            case "token":
                nn.init.normal_(tensor, std=self.token_std, generator=generator)
            case "position":
                draw = nn.init.trunc_normal_ if self.position_cut else nn.init.normal_
                draw(tensor, std=self.position_std, generator=generator)


def uniform_by_fan_in(weight: Tensor, tensor: Tensor, generator: Generator) -> None:
    """PyTorch's default for a layer's `weight` and its bias: `tensor`, either, uniform on ±1/√fan_in, in place."""
    bound = (weight.numel() / weight.shape[0]) ** -0.5
    nn.init.uniform_(tensor, -bound, bound, generator=generator)


@torch.no_grad()
def initialise(model: nn.Module, init: InitSpec, seed: int, prefix: str = "") -> None:
    """Give every parameter its initial value for `seed`, which is drawn for its name with `prefix` before it."""
    for name, module, own, parameter in owned_parameters(model):
        drawn = parameter.detach().to("cpu", torch.float32, copy=True)
        for section, part in sections(module, own, drawn):
            init.fill(name, module, part, Generator().manual_seed(host_seed(seed, prefix + name + section)))
        parameter.copy_(drawn)
