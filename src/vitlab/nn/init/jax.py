"""The initialisation of the ViT paper's own code (google-research/vision_transformer, `models_vit.py`).

    attention's q, k, v and projection    Xavier uniform, each a matrix [D, H·K] of its own; biases 0
    MLP                                   Xavier uniform; biases N(0, 1e-6)
    patch embedding, other convolutions,  Flax's default, LeCun normal: a normal cut at two standard deviations, of
      a head's tanh layer                 variance 1 / fan_in after the cut; biases 0
    cls, positions                        0, N(0, .02) without a cut
    the head's last layer                 0, bias `head_bias`

What that code does not have is treated as its likes: a layer of any mixer as attention's, the layers of attention
pooling as a block's (so in big_vision), its query and the distillation token as cls (big_vision draws the query by
Xavier's rule), any learned table as positions. Registers are N(0, 1e-6), as in DINOv2's code: several that begin equal
and have no positions stay equal for ever.
"""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from vitlab.nn.init._base import InitSpec
from vitlab.nn.init._xavier import matrices

_CUT_STD = 0.87962566103423978  # the standard deviation of a standard normal that is cut at ±2
_REGISTER_STD = 1e-6


@dataclass(frozen=True)
class Spec(InitSpec):
    """Only what every initialisation has; the defaults are that code's."""

    token_std: float = 0.0
    position_cut: bool = False
    zero_head: bool = True

    def fill(self, name: str, module: nn.Module, tensor: Tensor, generator: Generator) -> None:
        if name == "reg_token" and self.token_std == 0:
            nn.init.normal_(tensor, std=_REGISTER_STD, generator=generator)
        else:
            super().fill(name, module, tensor, generator)

    def fill_kernel(self, name: str, module: nn.Module, weight: Tensor, generator: Generator) -> None:
        if isinstance(module, nn.Linear) and name.startswith(("blocks.", "pool.")):
            for matrix in matrices(module, weight):
                nn.init.xavier_uniform_(matrix, generator=generator)
        else:
            _lecun_normal(module, weight, generator)

    def fill_bias(self, name: str, module: nn.Module, bias: Tensor, generator: Generator) -> None:
        nn.init.normal_(bias, std=1e-6 if ".mlp." in name else 0.0, generator=generator)


def _lecun_normal(module: nn.Module, weight: Tensor, generator: Generator) -> None:
    outputs = weight.shape[1] if isinstance(module, nn.ConvTranspose2d) else weight.shape[0]
    nn.init.trunc_normal_(weight, generator=generator)
    weight.mul_((weight.numel() / outputs) ** -0.5 / _CUT_STD)
