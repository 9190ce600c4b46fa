"""An operation that only some samples of a batch go through, without a look at which ones where looking costs time.

Both ways give the same pixels; `when_chosen` takes the one that suits the device. A host that asked a GPU which samples
they are would have to wait for it; there all samples go through, and the result is kept for the chosen ones.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def when_chosen(chosen: Tensor, operation: Callable[..., Tensor], otherwise: Tensor, *inputs: Tensor) -> Tensor:
    """`operation(*inputs)` for the chosen samples, `otherwise` for the rest.

    chosen [B] bool, otherwise [B, …], each input [B, …] -> [B, …]. `operation` must treat every sample alone.
    """
    way = only_chosen if chosen.device.type == "cpu" else all_then_select
    return way(chosen, operation, otherwise, *inputs)


def only_chosen(chosen: Tensor, operation: Callable[..., Tensor], otherwise: Tensor, *inputs: Tensor) -> Tensor:
    """`when_chosen` where the host may look: the work is done for the chosen samples only."""
    rows = chosen.nonzero()[:, 0]
    if len(rows) == 0:
        return otherwise
    done = operation(*(tensor.index_select(0, rows) for tensor in inputs))
    return otherwise.index_copy(0, rows, done.expand(-1, *otherwise.shape[1:]))


def all_then_select(chosen: Tensor, operation: Callable[..., Tensor], otherwise: Tensor, *inputs: Tensor) -> Tensor:
    """`when_chosen` where the host must not look: the work is done for all samples."""
    return torch.where(chosen.view(-1, *[1] * (otherwise.ndim - 1)), operation(*inputs), otherwise)
