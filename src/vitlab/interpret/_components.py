"""The directions in which rows of numbers differ most, for whoever shows them."""

from typing import NamedTuple

import torch
from torch import Tensor


class Principal(NamedTuple):
    """`directions` [k, D], each of length 1; `sizes`, how far rows spread along all there are, the largest first; and
    the rows less their mean, `centred` [n, D].
    """

    directions: Tensor
    sizes: Tensor
    centred: Tensor


def principal(rows: Tensor, count: int) -> Principal:
    """[n, D] -> its first principal components. A component's sign says nothing; its largest entry is positive."""
    centred = rows - rows.mean(0)
    _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
    chosen = directions[:count]
    signs = chosen.gather(1, chosen.abs().argmax(1, keepdim=True)).sign()
    return Principal(chosen * signs, sizes, centred)
