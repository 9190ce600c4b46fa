"""Which of two kernels computes softmax attention: the machine's choice, and no part of a model's spec.

`fused` is PyTorch's scaled_dot_product_attention (flash attention on a GPU); `explicit` is matrix products around a
softmax, which is the faster one on CPUs whose fused kernel does not suit small heads. They are equal up to rounding. A
module that has the choice has an attribute `kernel`.

Of PyTorch's fused kernels, cuDNN's is left out: on Hopper cards its backward pass has returned wrong gradients for
years (pytorch/pytorch issues 139298, 150700, 196678), and flash attention is as fast at a ViT's sizes.
"""

from typing import Literal

import torch
from torch import nn

Kernel = Literal["fused", "explicit"]


def use_kernel(model: nn.Module, kernel: Kernel) -> None:
    """Tell every part of the model that has more than one kernel which to use."""
    torch.backends.cuda.enable_cudnn_sdp(False)
    for module in model.modules():
        if hasattr(module, "kernel"):
            setattr(module, "kernel", kernel)  # noqa: B010 (a module attribute that its type does not know)
