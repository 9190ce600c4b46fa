"""The contract of an update: how the gradient that a step uses is found.

`Gradient` computes the loss and its gradient at the present weights. A plain update calls it once; one that looks
around first (sharpness-aware minimisation) changes the weights, calls it again and puts them back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.base.spec import Component

Gradient = Callable[[], list[Tensor]]  # -> one flat gradient [R, P] for each parameter group; the next call overwrites


@dataclass(frozen=True)
class UpdateSpec(Component):
    """An update's settings."""

    family: ClassVar[str] = "vitlab.optim.update"

    def gradient(self, gradient: Gradient, weights: list[Tensor], rates: Sequence[float]) -> list[Tensor]:
        """The gradients to step with; `weights` [R, P] a group may be changed but must be left as they were.

        `rates`, one a run: where its learning rate is between its smallest, 0, and its largest, 1.
        """
        raise NotImplementedError
