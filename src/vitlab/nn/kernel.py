"""The kernel of softmax attention, one of two: the machine's choice, and no part of a model's spec.

`fused` is PyTorch's scaled_dot_product_attention (flash attention on a GPU); `explicit` is matrix products around a
softmax, which is the faster one on CPUs whose fused kernel does not suit small heads. They are equal up to rounding. A
module that has the choice has an attribute `kernel`.
"""

from torch import nn

from vitlab.base.options import Kernel as Kernel


def has_kernels(model: nn.Module) -> bool:
    """Whether any part of the model has more than one kernel."""
    return any(hasattr(module, "kernel") for module in model.modules())


def use_kernel(model: nn.Module, kernel: Kernel | None) -> None:
    """Tell every part of the model that has more than one kernel which to use; None where no part has."""
    for module in model.modules():
        if hasattr(module, "kernel"):
            setattr(module, "kernel", kernel)  # noqa: B010 (a module attribute that its type does not know)
