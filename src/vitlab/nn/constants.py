"""Tables that parts compute when they are built: sinusoids, distances, offsets."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import torch
from torch import Tensor

P = ParamSpec("P")


def constant(compute: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Compute a table on the CPU, wherever the model is being built, and bring it there.

    On the meta device the arithmetic itself would bring in PyTorch's compiler: two seconds for `vitlab list systems`.
    """

    @wraps(compute)
    def table(*arguments: P.args, **named: P.kwargs) -> Tensor:
        with torch.device("cpu"):
            constant = compute(*arguments, **named)
        return constant.to(torch.get_default_device())

    return table
